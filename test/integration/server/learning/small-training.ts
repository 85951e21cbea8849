import type { ModelConfig } from '../../../../agent/config.ts';
import { randomSource } from '../../../../agent/random.ts';
import { allocateBatch, type BatchArrays } from '../../../../server/learning/batch-arrays.ts';

export const SMALL_TRAINING_MODEL: ModelConfig = {
  width: 16,
  blocks: 2,
  heads: 2,
  context: 3,
  stateSize: 10,
  actionSize: 2,
  bins: 8,
  maximumTimestep: 20,
};

/** Windows without padding, so that every one of them has the same weight. */
export function randomTrainingBatch(size: number, seed: number): BatchArrays {
  const random = randomSource(seed);
  const batch = allocateBatch(size, SMALL_TRAINING_MODEL);
  for (const part of ['states', 'returnsToGo', 'rewards'] as const)
    batch[part].forEach((_, i) => (batch[part][i] = random.normal()));
  for (const part of ['actionTokens', 'targetTokens'] as const)
    batch[part].forEach((_, i) => (batch[part][i] = random.below(8)));
  batch.timesteps.forEach((_, i) => (batch.timesteps[i] = i % 20));
  batch.stepMask.fill(1);
  batch.actionMask.fill(1);
  return batch;
}
