import { add, mul, type Tensor } from '@tensorflow/tfjs-core';
import type { ModelConfig } from '../../agent/config.ts';
import { ADAMW, adamwStep, biasCorrections, type AdamwSettings } from '../../agent/learning/adamw.ts';
import { lossAndGradients } from '../../agent/learning/gradients.ts';
import { decays } from '../../agent/learning/trainable.ts';
import { modelShapes } from '../../agent/weights/names.ts';
import { compile, type CompileOptions } from '../tensors/compile.ts';
import type { CompiledFunction } from '../tensors/compiled-function.ts';
import type { TensorSpec } from '../tensors/tensor-spec.ts';
import type { BatchArrays } from './batch-arrays.ts';
import { batchFromInputs, batchSpecs, inputsFromArrays } from './batch-tensors.ts';
import { BARE_MODEL } from './loss-graph.ts';
import { disposeAll, flattened, recordOf, specsOf, takeScalar, tensorNamed } from './tensor-record.ts';
import type { TensorRecord } from './tensor-record.ts';
import type { TrainingTensors } from './training-tensors.ts';

export interface UpdateGraphOptions {
  readonly model: ModelConfig;
  /** B, windows of one batch. */
  readonly batchSize: number;
  /** Batches whose mean gradient makes one update. */
  readonly accumulate: number;
  readonly weightDecay: number;
  readonly compile?: CompileOptions;
}

export interface UpdateOutcome {
  /** Mean cross entropy over the batches of the update. */
  readonly loss: number;
  /** Before clipping. */
  readonly gradientNorm: number;
}

/** One update of all weights of the model, as one graph: loss, gradients, clipping and AdamW. */
export interface UpdateGraph {
  /** `graph` or `eager`, with the number of nodes. */
  readonly form: CompiledFunction['form'];
  /**
   * Replaces weights and moments in `tensors` by those after the update.
   * @param update its number, from 1, and its learning rate
   * @param nextBatch called `accumulate` times; the arrays need to hold until its next call only
   */
  run(
    tensors: TrainingTensors,
    update: { readonly number: number; readonly learningRate: number },
    nextBatch: () => BatchArrays,
  ): UpdateOutcome;
  dispose(): void;
}

/**
 * Compiles the update. With `accumulate` above 1 a second graph sums up the gradients of all batches but the last.
 */
export function compileUpdate(options: UpdateGraphOptions): UpdateGraph {
  const names = Object.keys(modelShapes(options.model));
  const settings: AdamwSettings = { ...ADAMW, weightDecay: options.weightDecay };
  const share = 1 / options.accumulate;
  const summing = options.accumulate > 1 ? compileSumming(options) : undefined;
  const finishing = compileFinishing(options, settings);
  return {
    form: finishing.form,
    run: (tensors, update, nextBatch) => {
      const weights = flattened('parameter', tensors.parameters);
      let loss = 0;
      let sums: TensorRecord = summing === undefined ? {} : tensors.zeros();
      for (let batch = 1; batch < options.accumulate && summing !== undefined; batch++) {
        const outputs = summing.run({ ...weights, ...flattened('sum', sums), ...inputsFromArrays(nextBatch()) });
        disposeAll(sums);
        sums = recordOf('sum', outputs, names);
        loss += takeScalar(outputs, 'loss') * share;
      }
      const [biasCorrection1, biasCorrection2] = biasCorrections(update.number, settings);
      const outputs = finishing.run({
        ...weights,
        ...flattened('first', tensors.firstMoments),
        ...flattened('second', tensors.secondMoments),
        ...flattened('sum', sums),
        ...inputsFromArrays(nextBatch()),
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
      return { loss: loss + takeScalar(outputs, 'loss') * share, gradientNorm: takeScalar(outputs, 'gradientNorm') };
    },
    dispose: () => {
      summing?.dispose();
      finishing.dispose();
    },
  };
}

function compileSumming(options: UpdateGraphOptions): CompiledFunction {
  const shapes = modelShapes(options.model);
  const names = Object.keys(shapes);
  return compile<string, string>(
    (inputs) => {
      const { loss, gradients } = gradientsOf(inputs, options.model);
      return { loss, ...named('sum', names, addedUp(inputs, gradients, options)) };
    },
    { ...specsOf('parameter', shapes), ...specsOf('sum', shapes), ...batchSpecs(options.batchSize, options.model) },
    options.compile,
  );
}

function compileFinishing(options: UpdateGraphOptions, settings: AdamwSettings): CompiledFunction {
  const { model } = options;
  const shapes = modelShapes(model);
  const names = Object.keys(shapes);
  const scalar: TensorSpec = { shape: [], dtype: 'float32' };
  return compile<string, string>(
    (inputs) => {
      const { loss, gradients } = gradientsOf(inputs, model);
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
      const mean = options.accumulate === 1 ? gradients : addedUp(inputs, gradients, options);
      const next = adamwStep(state, mean, { scalars, decayed: names.map(decays), settings });
      return {
        loss,
        gradientNorm: next.gradientNorm,
        ...named('parameter', names, next.parameters),
        ...named('first', names, next.firstMoments),
        ...named('second', names, next.secondMoments),
      };
    },
    {
      ...specsOf('parameter', shapes),
      ...specsOf('first', shapes),
      ...specsOf('second', shapes),
      ...(options.accumulate > 1 ? specsOf('sum', shapes) : {}),
      ...batchSpecs(options.batchSize, model),
      learningRate: scalar,
      biasCorrection1: scalar,
      biasCorrection2: scalar,
    },
    options.compile,
  );
}

function gradientsOf(inputs: TensorRecord, model: ModelConfig): { loss: Tensor; gradients: readonly Tensor[] } {
  const names = Object.keys(modelShapes(model));
  const batch = batchFromInputs(inputs);
  const parameters = recordOf('parameter', inputs, names);
  const result = lossAndGradients(parameters, batch, { ...BARE_MODEL, model, trainableNames: names });
  return { loss: result.crossEntropy, gradients: result.gradients };
}

/** The sums so far plus this batch's share of the mean gradient. */
function addedUp(inputs: TensorRecord, gradients: readonly Tensor[], options: UpdateGraphOptions): Tensor[] {
  const names = Object.keys(modelShapes(options.model));
  return gradients.map((gradient, i) =>
    add(tensorNamed(inputs, `sum ${names[i] ?? ''}`), mul(gradient, 1 / options.accumulate)),
  );
}

function named(kind: string, names: readonly string[], tensors: readonly Tensor[]): Record<string, Tensor> {
  return Object.fromEntries(tensors.map((tensor, i) => [`${kind} ${names[i] ?? ''}`, tensor] as const));
}
