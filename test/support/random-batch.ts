import type { ModelConfig } from '../../agent/config.ts';
import { randomSource } from '../../agent/random.ts';
import { allocateBatch, type BatchArrays } from '../../server/learning/batch-arrays.ts';

/** A training batch of full windows of noise, the same at every call. */
export function randomBatch(model: ModelConfig, size: number): BatchArrays {
  const random = randomSource(7);
  const batch = allocateBatch(size, model);
  for (const values of [batch.states, batch.returnsToGo, batch.rewards]) {
    for (let i = 0; i < values.length; i++) values[i] = random.normal();
  }
  for (const tokens of [batch.actionTokens, batch.targetTokens]) {
    for (let i = 0; i < tokens.length; i++) tokens[i] = random.below(model.bins);
  }
  for (let i = 0; i < batch.timesteps.length; i++) batch.timesteps[i] = i % model.context;
  batch.stepMask.fill(1);
  batch.actionMask.fill(1);
  return batch;
}
