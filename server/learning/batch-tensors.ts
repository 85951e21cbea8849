import type { ModelConfig } from '../../agent/config.ts';
import type { TrainingBatch } from '../../agent/learning/loss.ts';
import type { TensorSpec } from '../tensors/tensor-spec.ts';
import type { BatchArrays } from './batch-arrays.ts';
import { tensorNamed, type TensorRecord } from './tensor-record.ts';

/** What a graph that takes a batch of that size declares. */
export function batchSpecs(size: number, model: ModelConfig): Record<keyof TrainingBatch, TensorSpec> {
  const steps = [size, model.context];
  return {
    states: { shape: [...steps, model.stateSize], dtype: 'float32' },
    actionTokens: { shape: [...steps, model.actionSize], dtype: 'int32' },
    targetTokens: { shape: [...steps, model.actionSize], dtype: 'int32' },
    returnsToGo: { shape: steps, dtype: 'float32' },
    rewards: { shape: steps, dtype: 'float32' },
    timesteps: { shape: steps, dtype: 'int32' },
    stepMask: { shape: steps, dtype: 'float32' },
    actionMask: { shape: [...steps, model.actionSize], dtype: 'float32' },
  };
}

/** The batch inside a graph, out of its inputs. */
export function batchFromInputs(inputs: TensorRecord): TrainingBatch {
  const part = (name: keyof TrainingBatch) => tensorNamed(inputs, name);
  return {
    states: part('states'),
    actionTokens: part('actionTokens'),
    targetTokens: part('targetTokens'),
    returnsToGo: part('returnsToGo'),
    rewards: part('rewards'),
    timesteps: part('timesteps'),
    stepMask: part('stepMask'),
    actionMask: part('actionMask'),
  };
}

/** The arrays as inputs of a run. */
export function inputsFromArrays(batch: BatchArrays): Record<keyof TrainingBatch, Float32Array | Int32Array> {
  const { states, actionTokens, targetTokens, returnsToGo, rewards, timesteps, stepMask, actionMask } = batch;
  return { states, actionTokens, targetTokens, returnsToGo, rewards, timesteps, stepMask, actionMask };
}
