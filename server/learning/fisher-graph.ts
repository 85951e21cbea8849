import { add } from '@tensorflow/tfjs-core';
import type { ModelConfig } from '../../agent/config.ts';
import { dropoutOf } from '../../agent/learning/dropout.ts';
import { fisherPart, type FisherSettings } from '../../agent/learning/fisher.ts';
import { equalImportances, type Anchor, type PenaltySettings } from '../../agent/learning/penalty.ts';
import { compile, type CompileOptions } from '../tensors/compile.ts';
import type { BatchArrays } from './batch-arrays.ts';
import { batchFromInputs, inputsFromArrays } from './batch-tensors.ts';
import { anchorInputs, anchorOf, anchorSpecs, methodSpecs } from './graph-inputs.ts';
import type { LearningMethod } from './learning-method.ts';
import { disposeAll, flattened, merged, recordOf, specsOf, tensorNamed, type TensorRecord } from './tensor-record.ts';
import type { TrainingTensors } from './training-tensors.ts';

export interface FisherGraphOptions {
  readonly model: ModelConfig;
  readonly batchSize: number;
  /** Of the task that ends: its anchors are those that pulled while it was learned. */
  readonly method: LearningMethod;
  readonly penalty: PenaltySettings;
  readonly fisher: FisherSettings;
  /** Of the task's domain. */
  readonly rewardScale: number;
  readonly compile?: CompileOptions;
}

export interface FisherRequest {
  /** Called once a batch, with the old task's data. */
  readonly nextBatch: () => BatchArrays;
  /** As for an update; the reference's model is in training mode here, too. */
  readonly dropoutKeys?: (batch: number) => Float32Array;
  /** [K], where the method has the count penalty. */
  readonly inverseCounts?: Float32Array;
}

/**
 * What is to be remembered of a task that has ended: copies of its weights, and how much each of them mattered, by Fisher information over
 * some batches as one graph, or all alike for the L2 penalty (spec §4).
 *
 * @returns tensors in the order of the method's trainable weights, owned by the caller
 */
export function anchorOfTask(tensors: TrainingTensors, options: FisherGraphOptions, request: FisherRequest): Anchor {
  const names = Object.keys(options.method.trainable);
  const weights = names.map((name) => tensorNamed(tensors.parameters, name).clone());
  if (options.penalty.kind === 'l2') return { weights, importances: equalImportances(weights) };
  const importances = fisherInformation(tensors, options, request);
  return { weights, importances: names.map((name) => tensorNamed(importances, name)) };
}

function fisherInformation(
  tensors: TrainingTensors,
  options: FisherGraphOptions,
  { nextBatch, dropoutKeys, inverseCounts }: FisherRequest,
): TensorRecord {
  const { method, fisher } = options;
  const names = Object.keys(method.trainable);
  const anchors = method.penalty?.anchors ?? [];
  const compiled = compileFisher(options, names);
  let sums: TensorRecord = tensors.zeros();
  for (let batch = 0; batch < fisher.batches; batch++) {
    const outputs = compiled.run({
      ...flattened('parameter', tensors.parameters),
      ...flattened('sum', sums),
      ...inputsFromArrays(nextBatch(), method.modulation),
      ...merged(anchors.map((anchor, i) => anchorInputs(anchor, i, names))),
      ...(method.dropout === undefined ? {} : { dropoutKeys: dropoutKeys?.(batch) ?? new Float32Array() }),
      ...(method.countPenalty === true ? { inverseCounts: inverseCounts ?? new Float32Array() } : {}),
    });
    disposeAll(sums);
    sums = recordOf('sum', outputs, names);
  }
  compiled.dispose();
  return sums;
}

function compileFisher(options: FisherGraphOptions, names: readonly string[]) {
  const { model, batchSize, method, fisher, rewardScale } = options;
  const anchors = method.penalty?.anchors ?? [];
  return compile<string, string>(
    (inputs) => {
      const parameters = { ...method.frozen, ...recordOf('parameter', inputs, names) };
      const parts = fisherPart(parameters, batchFromInputs(inputs), {
        ...{ model, fisher, rewardScale, modulation: method.modulation, pullWeight: method.pullWeight },
        routing: method.countPenalty === true ? { inverseCounts: tensorNamed(inputs, 'inverseCounts') } : {},
        trainableNames: names,
        anchors: anchors.map((_, i) => anchorOf(inputs, i, names)),
        strength: method.penalty?.strength ?? 0,
        ...(method.dropout === undefined
          ? {}
          : { dropout: dropoutOf(tensorNamed(inputs, 'dropoutKeys'), method.dropout) }),
      });
      return Object.fromEntries(
        names.map((name, i) => [`sum ${name}`, add(tensorNamed(inputs, `sum ${name}`), parts[i] ?? 0)] as const),
      );
    },
    {
      ...methodSpecs(method, { model, batchSize }),
      ...specsOf('sum', method.trainable),
      ...merged(anchors.map((anchor, i) => anchorSpecs(anchor, i, names))),
    },
    options.compile,
  );
}
