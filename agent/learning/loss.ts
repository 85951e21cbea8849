import { isPool, selectedCount, type ModelConfig, type ModulationConfig } from '../config.ts';
import { gatherEnds, modulatedTokens } from '../modulation/ends.ts';
import { gatherModulators } from '../modulation/gather.ts';
import { chosenKeys, modulatorsOf, selectKeys, type Routing } from '../modulation/match.ts';
import { poolQuery, similarities } from '../modulation/query.ts';
import { windowRouting } from '../modulation/window-routing.ts';
import { assertShape, div, mul, reshape, slice, sub, sumAll, type Tensor } from '../ops.ts';
import { actionLogits, decodePredicting } from '../transformer/decoder.ts';
import type { Dropout } from '../transformer/dropout.ts';
import { embedWindow, type WindowTensors } from '../transformer/embedding.ts';
import { KEY_NAME, parameter, type ParameterRecord } from '../weights/names.ts';
import { meanCrossEntropy } from './cross-entropy.ts';

/** Windows to learn from. History may differ from the targets: executed actions against an expert's. */
export interface TrainingBatch extends WindowTensors {
  /** [B, T, A] int32, 0..V-1 */
  readonly targetTokens: Tensor;
  /** [B, T, A] float, 1 for a dimension that the task has */
  readonly actionMask: Tensor;
}

export interface LossOptions {
  readonly model: ModelConfig;
  readonly modulation: ModulationConfig;
  /** Weight of the pull of keys towards queries; 0.5 in the paper (spec §3.5), 0 for fixed keys. */
  readonly pullWeight: number;
  /** Keys to modulate by, [B] or [B, k] int32 from `selectForTraining`; null leaves a pool out. */
  readonly selectedKeys: Tensor | null;
  readonly routing: Routing;
  /** Dimensions that some task of the batch has, 1..A; all if absent. Later ones are in no loss, so nothing is computed for them. */
  readonly actionDimensions?: number | undefined;
  /** Off if absent. The window's query never sees it (spec §3.3). */
  readonly dropout?: Dropout | undefined;
}

/** All scalars; owned by the caller. */
export interface PolicyLoss {
  /** Cross entropy minus the pull. */
  readonly loss: Tensor;
  readonly crossEntropy: Tensor;
  /** Cosine between queries and their selected keys, summed over the keys, mean over the windows; null without a pool. */
  readonly similarity: Tensor | null;
}

/**
 * Which key each window of a training batch falls on. Not differentiated.
 *
 * @returns selected [B] int32, or [B, k] where windows get several, and the cosines [B, K], owned by the caller; null without a pool
 */
export function selectForTraining(
  parameters: ParameterRecord,
  batch: WindowTensors,
  { model, modulation, routing }: Pick<LossOptions, 'model' | 'modulation' | 'routing'>,
): { selectedKeys: Tensor; similarity: Tensor } | null {
  if (!isPool(modulation)) return null;
  const tokens = embedWindow(parameters, batch, model);
  const query = poolQuery(parameters, { tokens, stepMask: batch.stepMask }, { model, query: modulation.query });
  const similarity = similarities(query, parameter(parameters, KEY_NAME));
  const searched = windowRouting(parameters, { modulation, routing, searchGroups: batch.searchGroups });
  return { selectedKeys: selectKeys(similarity, searched, selectedCount(modulation)), similarity };
}

/**
 * The training objective (spec §1.5, §3.5): mean cross entropy of every real dimension of every real step of the windows, under
 * teacher forcing, minus the weighted mean cosine to the selected keys. Reads no data, so it can be captured as a graph.
 */
export function policyLoss(parameters: ParameterRecord, batch: TrainingBatch, options: LossOptions): PolicyLoss {
  const { model, modulation, selectedKeys } = options;
  const { shape } = batch.actionTokens;
  assertShape(batch.targetTokens, shape, 'targetTokens');
  assertShape(batch.actionMask, shape, 'actionMask');
  const tokens = embedWindow(parameters, batch, model);
  const rows = selectedKeys === null ? null : selectedModulators(parameters, { batch, selectedKeys }, options);
  const { dropout } = options;
  const learning = dropout === undefined ? undefined : { dropout, batch: batch.states.shape[0] };
  const modulators = gatherModulators(parameters, rows, { model, modulation, learning });
  const ends = gatherEnds(parameters, rows, modulation);
  const modulated = modulatedTokens(parameters, { tokens, window: batch, ends }, model);
  const { actionDimensions: dimensions } = options;
  const inputs = { tokens: modulated, stepMask: batch.stepMask, modulators, dropout, dimensions };
  const hidden = decodePredicting(parameters, inputs, model);
  const crossEntropy = actionCrossEntropy(actionLogits(parameters, hidden, ends), batch);
  if (selectedKeys === null || !isPool(modulation)) return { loss: crossEntropy, crossEntropy, similarity: null };

  const query = poolQuery(parameters, { tokens, stepMask: batch.stepMask }, { model, query: modulation.query });
  const cosines = similarities(query, parameter(parameters, KEY_NAME));
  const chosen = mul(cosines, chosenKeys(selectedKeys, modulation.keyCount));
  const similarity = div(sumAll(chosen), cosines.shape[0]);
  const loss = options.pullWeight === 0 ? crossEntropy : sub(crossEntropy, mul(similarity, options.pullWeight));
  return { loss, crossEntropy, similarity };
}

function selectedModulators(
  parameters: ParameterRecord,
  { batch, selectedKeys }: { readonly batch: TrainingBatch; readonly selectedKeys: Tensor },
  { modulation, routing }: LossOptions,
): Tensor {
  if (!isPool(modulation)) return selectedKeys;
  const { searchGroups } = batch;
  return modulatorsOf(selectedKeys, windowRouting(parameters, { modulation, routing, searchGroups }));
}

/** @param logits [B, T, d, V] of the first dimensions; no others are kept */
function actionCrossEntropy(logits: Tensor, batch: TrainingBatch): Tensor {
  const [windows = 0, steps = 0, dimensions = 0, bins = 0] = logits.shape;
  const first = (x: Tensor) => slice(x, [0, 0, 0], [windows, steps, dimensions]);
  const kept = mul(first(batch.actionMask), reshape(batch.stepMask, [windows, steps, 1]));
  const targets = first(batch.targetTokens);
  const count = windows * steps * dimensions;
  return meanCrossEntropy(reshape(logits, [count, bins]), reshape(targets, [count]), reshape(kept, [count]));
}
