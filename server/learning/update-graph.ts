import { add, mul, type Tensor } from '@tensorflow/tfjs-core';
import type { ModelConfig } from '../../agent/config.ts';
import { ADAMW, adamwStep, biasCorrections, type AdamwSettings } from '../../agent/learning/adamw.ts';
import { dropoutOf } from '../../agent/learning/dropout.ts';
import { lossAndGradients } from '../../agent/learning/gradients.ts';
import { anchorPenalty } from '../../agent/learning/penalty.ts';
import { decays } from '../../agent/learning/trainable.ts';
import { compile, type CompileOptions } from '../tensors/compile.ts';
import type { CompiledFunction } from '../tensors/compiled-function.ts';
import type { TensorSpec } from '../tensors/tensor-spec.ts';
import type { BatchArrays } from './batch-arrays.ts';
import { batchFromInputs, inputsFromArrays } from './batch-tensors.ts';
import { anchorInputs, anchorOf, anchorSpecs, methodSpecs } from './graph-inputs.ts';
import { wholeModel, type LearningMethod } from './learning-method.ts';
import {
  disposeAll,
  flattened,
  merged,
  named,
  recordOf,
  specsOf,
  takeScalar,
  takeWhole,
  tensorNamed,
  type TensorRecord,
} from './tensor-record.ts';
import type { TrainingTensors } from './training-tensors.ts';

export interface UpdateGraphOptions {
  readonly model: ModelConfig;
  /** B, windows of one batch. */
  readonly batchSize: number;
  /** Batches whose mean gradient makes one update. */
  readonly accumulate: number;
  readonly weightDecay: number;
  /** See `LossOptions`. */
  readonly actionDimensions?: number;
  /** Absent: the whole bare model learns. */
  readonly method?: LearningMethod;
  readonly compile?: CompileOptions;
}

export interface UpdateRequest {
  /** From 1. */
  readonly number: number;
  readonly learningRate: number;
  /**
   * Batches of this update; `accumulate` if absent. The reference's first update comes after one batch, whose gradient is divided all the
   * same (spec §5.4).
   */
  readonly batches?: number;
  /** Keys of dropout's masks for the n-th batch of the update, n = 0, 1, …; where the method has dropout. */
  readonly dropoutKeys?: (batch: number) => Float32Array;
  /** [K], where the method has the count penalty. */
  readonly inverseCounts?: Float32Array;
}

export interface UpdateOutcome {
  /** Mean cross entropy over the batches of the update. */
  readonly loss: number;
  /** Mean cosine to the selected keys over the batches; 0 without a pool. */
  readonly similarity: number;
  /** What earlier tasks add to the loss; 0 without anchors. */
  readonly penalty: number;
  /** Before clipping. */
  readonly gradientNorm: number;
  /** [B] or [B, k] keys, one array a batch; empty without a pool. */
  readonly selectedKeys: readonly Int32Array[];
}

/** One update of the weights that learn, as one graph: loss, gradients, penalty, clipping and AdamW. */
export interface UpdateGraph {
  /** `graph` or `eager`, with the number of nodes. */
  readonly form: CompiledFunction['form'];
  /**
   * Replaces weights and moments in `tensors` by those after the update.
   * @param nextBatch called once a batch; the arrays need to hold until its next call only
   */
  run(tensors: TrainingTensors, update: UpdateRequest, nextBatch: () => BatchArrays): UpdateOutcome;
  dispose(): void;
}

/**
 * Compiles the update. With `accumulate` above 1 a second graph sums up the gradients of all batches but the last.
 */
export function compileUpdate(options: UpdateGraphOptions): UpdateGraph {
  const method = options.method ?? wholeModel(options.model);
  const names = Object.keys(method.trainable);
  const settings: AdamwSettings = { ...ADAMW, weightDecay: options.weightDecay };
  const parts: GraphParts = { ...options, method, names, settings };
  const summing = options.accumulate > 1 ? compileSumming(parts) : undefined;
  const finishing = compileFinishing(parts);
  const anchors = merged((method.penalty?.anchors ?? []).map((anchor, i) => anchorInputs(anchor, i, names)));
  return {
    form: finishing.form,
    run: (tensors, update, nextBatch) => {
      const batches = update.batches ?? options.accumulate;
      const weights = flattened('parameter', tensors.parameters);
      const seen = { loss: 0, similarity: 0, selectedKeys: [] as Int32Array[] };
      const inputs = (batch: number) => ({
        ...weights,
        ...inputsFromArrays(nextBatch(), method.modulation),
        ...(method.countPenalty === true ? { inverseCounts: update.inverseCounts ?? new Float32Array() } : {}),
        ...(method.dropout === undefined ? {} : { dropoutKeys: update.dropoutKeys?.(batch) ?? new Float32Array() }),
      });
      let sums: TensorRecord = summing === undefined ? {} : tensors.zeros();
      for (let batch = 0; batch < batches - 1 && summing !== undefined; batch++) {
        const outputs = summing.run({ ...inputs(batch), ...flattened('sum', sums) });
        disposeAll(sums);
        sums = recordOf('sum', outputs, names);
        note(seen, outputs, batches);
      }
      const [biasCorrection1, biasCorrection2] = biasCorrections(update.number, settings);
      const outputs = finishing.run({
        ...inputs(batches - 1),
        ...anchors,
        ...flattened('first', tensors.firstMoments),
        ...flattened('second', tensors.secondMoments),
        ...flattened('sum', sums),
        learningRate: Float32Array.of(update.learningRate),
        biasCorrection1: Float32Array.of(biasCorrection1),
        biasCorrection2: Float32Array.of(biasCorrection2),
      });
      disposeAll(sums);
      tensors.replace({
        parameters: recordOf('parameter', outputs, names),
        firstMoments: recordOf('first', outputs, names),
        secondMoments: recordOf('second', outputs, names),
      });
      note(seen, outputs, batches);
      return { ...seen, penalty: takeScalar(outputs, 'penalty'), gradientNorm: takeScalar(outputs, 'gradientNorm') };
    },
    dispose: () => {
      summing?.dispose();
      finishing.dispose();
    },
  };
}

interface GraphParts extends UpdateGraphOptions {
  readonly method: LearningMethod;
  /** Of what learns, in the order of all lists. */
  readonly names: readonly string[];
  readonly settings: AdamwSettings;
}

/** What one batch adds to the outcome. */
function note(
  seen: { loss: number; similarity: number; selectedKeys: Int32Array[] },
  outputs: TensorRecord,
  batches: number,
): void {
  seen.loss += takeScalar(outputs, 'loss') / batches;
  seen.similarity += takeScalar(outputs, 'similarity') / batches;
  if (outputs['selectedKeys'] !== undefined) seen.selectedKeys.push(takeWhole(outputs, 'selectedKeys'));
}

function compileSumming(parts: GraphParts): CompiledFunction {
  const { method, names } = parts;
  return compile<string, string>(
    (inputs) => {
      const { gradients, ...rest } = gradientsOf(inputs, parts);
      return { ...rest, ...named('sum', names, addedUp(inputs, gradients, parts)) };
    },
    { ...methodSpecs(method, parts), ...specsOf('sum', method.trainable) },
    parts.compile,
  );
}

function compileFinishing(parts: GraphParts): CompiledFunction {
  const { method, names, settings } = parts;
  const shapes = method.trainable;
  const scalar: TensorSpec = { shape: [], dtype: 'float32' };
  const anchors = method.penalty?.anchors ?? [];
  return compile<string, string>(
    (inputs) => {
      const { gradients, ...rest } = gradientsOf(inputs, parts);
      const listed = (kind: 'parameter' | 'first' | 'second') => Object.values(recordOf(kind, inputs, names));
      const state = {
        parameters: listed('parameter'),
        firstMoments: listed('first'),
        secondMoments: listed('second'),
      };
      const scalars = {
        learningRate: tensorNamed(inputs, 'learningRate'),
        biasCorrection1: tensorNamed(inputs, 'biasCorrection1'),
        biasCorrection2: tensorNamed(inputs, 'biasCorrection2'),
      };
      const mean = parts.accumulate === 1 ? gradients : addedUp(inputs, gradients, parts);
      const pull = anchorPenalty(
        state.parameters,
        anchors.map((_, i) => anchorOf(inputs, i, names)),
        method.penalty?.strength ?? 0,
      );
      const whole = pull === null ? mean : mean.map((gradient, i) => sumOf(gradient, pull.gradients[i]));
      const next = adamwStep(state, whole, { scalars, decayed: names.map(decays), settings });
      return {
        ...rest,
        penalty: pull?.penalty ?? mul(rest.loss, 0),
        gradientNorm: next.gradientNorm,
        ...named('parameter', names, next.parameters),
        ...named('first', names, next.firstMoments),
        ...named('second', names, next.secondMoments),
      };
    },
    {
      ...methodSpecs(method, parts),
      ...specsOf('first', shapes),
      ...specsOf('second', shapes),
      ...(parts.accumulate > 1 ? specsOf('sum', shapes) : {}),
      ...merged(anchors.map((anchor, i) => anchorSpecs(anchor, i, names))),
      learningRate: scalar,
      biasCorrection1: scalar,
      biasCorrection2: scalar,
    },
    parts.compile,
  );
}

/** The outputs that every batch has, beside its gradients. */
type BatchOutputs = Record<'loss' | 'similarity', Tensor> & { readonly selectedKeys?: Tensor };

function gradientsOf(
  inputs: TensorRecord,
  { model, method, names, actionDimensions }: GraphParts,
): BatchOutputs & { readonly gradients: readonly Tensor[] } {
  const parameters = { ...method.frozen, ...recordOf('parameter', inputs, names) };
  const { crossEntropy, similarity, selectedKeys, gradients } = lossAndGradients(parameters, batchFromInputs(inputs), {
    ...{ model, modulation: method.modulation, pullWeight: method.pullWeight, trainableNames: names, actionDimensions },
    routing: method.countPenalty === true ? { inverseCounts: tensorNamed(inputs, 'inverseCounts') } : {},
    ...(method.dropout === undefined ? {} : { dropout: dropoutOf(tensorNamed(inputs, 'dropoutKeys'), method.dropout) }),
  });
  return { loss: crossEntropy, similarity, gradients, ...(selectedKeys === null ? {} : { selectedKeys }) };
}

/** The sums so far plus this batch's share of the mean gradient. */
function addedUp(inputs: TensorRecord, gradients: readonly Tensor[], { names, accumulate }: GraphParts): Tensor[] {
  return gradients.map((gradient, i) =>
    add(tensorNamed(inputs, `sum ${names[i] ?? ''}`), mul(gradient, 1 / accumulate)),
  );
}

function sumOf(gradient: Tensor, pull: Tensor | undefined): Tensor {
  return pull === undefined ? gradient : add(gradient, pull);
}
