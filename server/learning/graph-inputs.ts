import type { Tensor } from '@tensorflow/tfjs-core';
import type { ModelConfig } from '../../agent/config.ts';
import { DROPOUT_KEYS_SHAPE } from '../../agent/learning/dropout.ts';
import type { Anchor } from '../../agent/learning/penalty.ts';
import type { TensorSpec } from '../tensors/tensor-spec.ts';
import { batchSpecs } from './batch-tensors.ts';
import type { LearningMethod } from './learning-method.ts';
import { named, specsOf, tensorNamed, type TensorRecord } from './tensor-record.ts';

/** What every graph of a learning method declares: weights that learn, a batch, and what its options call for. */
export function methodSpecs(
  method: LearningMethod,
  { model, batchSize }: { readonly model: ModelConfig; readonly batchSize: number },
): Record<string, TensorSpec> {
  const keys = 'keyCount' in method.modulation ? method.modulation.keyCount : 0;
  return {
    ...specsOf('parameter', method.trainable),
    ...batchSpecs(batchSize, { model, modulation: method.modulation }),
    ...(method.countPenalty === true ? { inverseCounts: { shape: [keys], dtype: 'float32' } } : {}),
    ...(method.dropout === undefined ? {} : { dropoutKeys: { shape: DROPOUT_KEYS_SHAPE, dtype: 'float32' } }),
  };
}

/** An anchor as inputs of a graph. */
export function anchorInputs(anchor: Anchor, index: number, names: readonly string[]): Record<string, Tensor> {
  return {
    ...named(`anchor ${index}`, names, anchor.weights),
    ...named(`importance ${index}`, names, anchor.importances),
  };
}

export function anchorSpecs(anchor: Anchor, index: number, names: readonly string[]): Record<string, TensorSpec> {
  const entries = Object.entries(anchorInputs(anchor, index, names));
  return Object.fromEntries(entries.map(([name, { shape }]) => [name, { shape, dtype: 'float32' }] as const));
}

/** The anchor inside a graph, out of its inputs. */
export function anchorOf(inputs: TensorRecord, index: number, names: readonly string[]): Anchor {
  const listed = (kind: string) => names.map((name) => tensorNamed(inputs, `${kind} ${index} ${name}`));
  return { weights: listed('anchor'), importances: listed('importance') };
}
