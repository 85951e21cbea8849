import { AgentError } from './agent-error.ts';
import { isPool, selectedCount, type PolicyConfig } from './config.ts';
import { gatherEnds, modulatedTokens, type EndModulators } from './modulation/ends.ts';
import { gatherModulators } from './modulation/gather.ts';
import { chosenKeys, modulatorsOf, selectKeys, type Routing } from './modulation/match.ts';
import type { BlockModulator } from './modulation/modulator.ts';
import { poolQuery, similarities } from './modulation/query.ts';
import { steadyRows } from './modulation/steady-rows.ts';
import { windowRouting } from './modulation/window-routing.ts';
import { add, argMax, cast, concat, mul, reshape, slice, stack, sumOver, zerosLike, type Tensor } from './ops.ts';
import { actionLogits, decodePredicting } from './transformer/decoder.ts';
import { embedActions, embedWindow, timeCodes, type WindowTensors } from './transformer/embedding.ts';
import { prefill, readToken } from './transformer/incremental.ts';
import { layerNorm } from './transformer/layer-norm.ts';
import { KEY_NAME, parameter, type ParameterRecord } from './weights/names.ts';

/** What was decided for a batch of windows; tensors owned by the caller. */
export interface Decision {
  /** [B, d] int32, 0..V-1 */
  readonly actionTokens: Tensor;
  /** [B, d, V] */
  readonly logits: Tensor;
  /** null without a pool */
  readonly selection: Selection | null;
}

interface Selection {
  /** [B] int32, 0..K-1; [B, k], best first, where windows get several */
  readonly keys: Tensor;
  /** [B] int32, row of the pool that decides; that of the best key, which is the key itself unless several keys share one */
  readonly modulators: Tensor;
  /** [B] int32, the row that the window itself asks for; another one only where earlier steps of the episode vote */
  readonly asked: Tensor;
  /** [B] raw cosine of the best key, -1..1 */
  readonly similarity: Tensor;
  /** [B, D] */
  readonly query: Tensor;
}

export interface DecideOptions extends Pick<PolicyConfig, 'model' | 'modulation'> {
  /** d, dimensions to decide, 1..A. Windows of tasks with fewer simply ignore the rest. */
  readonly actionDimensions: number;
  readonly routing: Routing;
}

/**
 * Decides the newest step of every window, one action dimension after the other, always the likeliest bin (spec §1.6) unless the window
 * brings chance, with one pass over the known tokens and one more token a dimension. A pure function of tensors with static shapes that reads no data.
 * The caller opens a scope: intermediate tensors are not disposed here.
 */
export function decide(parameters: ParameterRecord, window: WindowTensors, options: DecideOptions): Decision {
  const { model } = options;
  const dimensions = checkedDimensions(options);
  const tokens = embedWindow(parameters, window, model);
  const { selection, modulators, ends } = selectModulators(parameters, { tokens, window }, options);
  const context = { model, stepMask: window.stepMask, modulators };
  const [batch = 0, steps = 0] = window.states.shape;
  const newest = slice(window.timesteps, [0, steps - 1], [batch, 1]);
  const timeCode = reshape(timeCodes(parameters, newest), [batch, 1, model.width]);

  let state = prefill(parameters, modulatedTokens(parameters, { tokens, window, ends }, model), context);
  const logits: Tensor[] = [];
  const chosen: Tensor[] = [];
  for (let dimension = 0; dimension < dimensions; dimension++) {
    const row = reshape(actionLogits(parameters, state.hidden, ends), [batch, model.bins]);
    const token = chosenBin(row, window, dimension);
    logits.push(row);
    chosen.push(token);
    if (dimension === dimensions - 1) break;
    const embedded = add(embedActions(parameters, reshape(token, [batch, 1]), ends), timeCode);
    state = readToken(parameters, layerNorm(parameters, embedded, 'embed_ln'), { ...context, state });
  }
  return { actionTokens: stack(chosen, 1), logits: stack(logits, 1), selection };
}

/**
 * The same decision as the reference takes it: one full forward over the whole window for every dimension. Slow; kept as the
 * standard that `decide` is tested against.
 */
export function decideByFullForward(
  parameters: ParameterRecord,
  window: WindowTensors,
  options: DecideOptions,
): Decision {
  const { model } = options;
  const dimensions = checkedDimensions(options);
  const [batch = 0, steps = 0] = window.states.shape;
  const past = slice(window.actionTokens, [0, 0, 0], [batch, steps - 1, model.actionSize]);
  const logits: Tensor[] = [];
  const chosen: Tensor[] = [];
  let selection: Selection | null = null;
  for (let dimension = 0; dimension < dimensions; dimension++) {
    // What stands in dimensions not yet decided cannot be seen from the one that is.
    const undecided = Array.from({ length: model.actionSize - dimension }, () =>
      zerosLike(slice(past, [0, 0, 0], [batch, 1, 1])),
    );
    const newest = concat([...chosen.map((token) => reshape(token, [batch, 1, 1])), ...undecided], 2);
    const known = { ...window, actionTokens: concat([past, newest], 1) };
    const tokens = embedWindow(parameters, known, model);
    const selected = selectModulators(parameters, { tokens, window: known }, options);
    selection = selected.selection;
    const { modulators, ends } = selected;
    const modulated = modulatedTokens(parameters, { tokens, window: known, ends }, model);
    const inputs = { tokens: modulated, stepMask: window.stepMask, modulators };
    const hidden = decodePredicting(parameters, inputs, model); // [B, T, A, D]
    const predicting = slice(hidden, [0, steps - 1, dimension, 0], [batch, 1, 1, model.width]);
    const row = reshape(actionLogits(parameters, predicting, ends), [batch, model.bins]);
    logits.push(row);
    chosen.push(chosenBin(row, window, dimension));
  }
  return { actionTokens: stack(chosen, 1), logits: stack(logits, 1), selection };
}

/** @param row [B, V] logits of one dimension @returns [B] int32 */
function chosenBin(row: Tensor, { chance }: WindowTensors, dimension: number): Tensor {
  const [batch = 0, bins = 0] = row.shape;
  const own = chance && reshape(slice(chance, [0, dimension, 0], [batch, 1, bins]), [batch, bins]);
  return cast(argMax(own === undefined ? row : add(row, own), 1), 'int32');
}

export function selectModulators(
  parameters: ParameterRecord,
  { tokens, window }: { readonly tokens: Tensor; readonly window: WindowTensors },
  { model, modulation, routing }: DecideOptions,
): { selection: Selection | null; modulators: BlockModulator[]; ends: EndModulators | null } {
  if (!isPool(modulation)) {
    return { selection: null, modulators: gatherModulators(parameters, null, { model, modulation }), ends: null };
  }
  const query = poolQuery(parameters, { tokens, stepMask: window.stepMask }, { model, query: modulation.query });
  const cosines = similarities(query, parameter(parameters, KEY_NAME));
  const searched = windowRouting(parameters, { modulation, routing, searchGroups: window.searchGroups });
  const keys = selectKeys(cosines, searched, selectedCount(modulation));
  const best = keys.rank === 1 ? keys : reshape(slice(keys, [0, 0], [keys.shape[0], 1]), [-1]);
  const similarity = sumOver(mul(cosines, chosenKeys(best, modulation.keyCount)), 1);
  const rows = modulatorsOf(best, searched);
  const { asked, used } = steadyRows({ rows, similarity, heldRows: window.heldRows }, modulation);
  // Without a vote or a limit of similarity, what decides is what all the keys point to.
  const deciding = used === rows ? modulatorsOf(keys, searched) : used;
  return {
    selection: { keys, modulators: used, asked, similarity, query },
    modulators: gatherModulators(parameters, deciding, { model, modulation }),
    ends: gatherEnds(parameters, deciding, modulation),
  };
}

function checkedDimensions({ actionDimensions, model }: DecideOptions): number {
  if (Number.isInteger(actionDimensions) && actionDimensions >= 1 && actionDimensions <= model.actionSize) {
    return actionDimensions;
  }
  throw new AgentError(
    'L2M_TASK_UNSUPPORTED',
    `it has ${actionDimensions} action dimensions, the policy has 1..${model.actionSize}`,
  );
}
