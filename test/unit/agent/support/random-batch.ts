import type { ModelConfig } from '../../../../agent/config.ts';
import type { TrainingBatch } from '../../../../agent/learning/loss.ts';
import { tensor } from '../../../../agent/ops.ts';
import type { RandomSource } from '../../../../agent/random.ts';

export const SMALL_MODEL: ModelConfig = {
  width: 16,
  blocks: 2,
  heads: 2,
  context: 3,
  stateSize: 10,
  actionSize: 3,
  bins: 8,
  maximumTimestep: 50,
};

/** Windows with random content; window b has its first b % T steps padded. */
export function randomBatch(model: ModelConfig, windows: number, random: RandomSource): TrainingBatch {
  const steps = model.context;
  const floats = (shape: number[], draw: (i: number) => number) =>
    tensor(
      Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, i) => draw(i)),
      shape,
    );
  const whole = (shape: number[], limit: number) =>
    tensor(
      Int32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, () => random.below(limit)),
      shape,
      'int32',
    );
  const actionTokens = whole([windows, steps, model.actionSize], model.bins);
  return {
    states: floats([windows, steps, model.stateSize], () => random.normal()),
    actionTokens,
    targetTokens: actionTokens.clone(),
    returnsToGo: floats([windows, steps], () => random.uniform()),
    rewards: floats([windows, steps], () => random.uniform()),
    timesteps: whole([windows, steps], model.maximumTimestep),
    stepMask: floats([windows, steps], (i) => (i % steps >= Math.floor(i / steps) % steps ? 1 : 0)),
    actionMask: floats([windows, steps, model.actionSize], (i) =>
      i % model.actionSize < model.actionSize - 1 ? 1 : 0,
    ),
  };
}
