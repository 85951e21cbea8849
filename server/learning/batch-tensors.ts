import { isSearchedByGroup, type ModulationConfig, type PolicyConfig } from '../../agent/config.ts';
import type { TrainingBatch } from '../../agent/learning/loss.ts';
import type { TensorSpec } from '../tensors/tensor-spec.ts';
import type { BatchArrays } from './batch-arrays.ts';
import { tensorNamed, type TensorRecord } from './tensor-record.ts';

/** What a graph that takes a batch of that size declares. */
export function batchSpecs(
  size: number,
  { model, modulation }: Pick<PolicyConfig, 'model' | 'modulation'>,
): Partial<Record<keyof TrainingBatch, TensorSpec>> {
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
    ...(isSearchedByGroup(modulation) ? { searchGroups: { shape: [size], dtype: 'int32' } } : {}),
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
    ...(inputs['searchGroups'] === undefined ? {} : { searchGroups: inputs['searchGroups'] }),
  };
}

/** The arrays as inputs of a run; the true tasks only where the pool is searched by them. */
export function inputsFromArrays(
  batch: BatchArrays,
  modulation: ModulationConfig,
): Partial<Record<keyof TrainingBatch, Float32Array | Int32Array>> {
  const { size: _size, model: _model, searchGroups, ...always } = batch;
  return isSearchedByGroup(modulation) ? { ...always, searchGroups } : always;
}
