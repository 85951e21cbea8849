import { beforeAll, describe, expect, it } from 'vitest';
import { decide } from '../../../../agent/decision-transformer.ts';
import { tensor, tidy } from '../../../../agent/ops.ts';
import { randomSource } from '../../../../agent/random.ts';
import { attentionMask } from '../../../../agent/transformer/mask.ts';
import { initialiseParameters } from '../../../../agent/weights/initialise.ts';
import { startBackend } from '../support/backend.ts';
import { randomBatch, SMALL_MODEL } from '../support/random-batch.ts';

describe('what a token sees', () => {
  beforeAll(() => startBackend('cpu'));

  it('is itself and earlier tokens of real steps', () => {
    const mask = tidy(() =>
      attentionMask(tensor([0, 1], [1, 2]), { perStep: 2, total: 3 }).arraySync(),
    ) as number[][][][];
    expect(mask[0]![0]!.map((row) => row.map((value) => (value === 0 ? 1 : 0)))).toEqual([
      [0, 0, 0],
      [0, 0, 0],
      [0, 0, 1],
    ]);
  });

  it('is not what stands in padded steps, nor the newest action and reward', () => {
    const config = { model: SMALL_MODEL, modulation: { kind: 'none' } } as const;
    tidy(() => {
      const parameters = initialiseParameters(config, randomSource(1));
      const window = randomBatch(SMALL_MODEL, 3, randomSource(2));
      const steps = SMALL_MODEL.context;
      const rewards = window.rewards.dataSync().slice();
      const states = window.states.dataSync().slice();
      // Window 2 has two padded steps.
      for (let i = 0; i < 2 * SMALL_MODEL.stateSize; i++) states[2 * steps * SMALL_MODEL.stateSize + i] = 1000 * i;
      for (let row = 0; row < 3; row++) rewards[row * steps + steps - 1] = 1e6;
      const changed = { ...window, rewards: tensor(rewards, [3, steps]), states: tensor(states, window.states.shape) };
      const options = { ...config, actionDimensions: 3, routing: {} };
      expect(decide(parameters, changed, options).logits.dataSync()).toEqual(
        decide(parameters, window, options).logits.dataSync(),
      );
    });
  });

  it('refuses windows of a wrong shape and tasks with too many dimensions', () => {
    const config = { model: SMALL_MODEL, modulation: { kind: 'none' } } as const;
    tidy(() => {
      const parameters = initialiseParameters(config, randomSource(1));
      const window = randomBatch(SMALL_MODEL, 2, randomSource(2));
      const wrong = { ...window, rewards: tensor([1, 2], [2, 1]) };
      const options = { ...config, actionDimensions: 3, routing: {} };
      expect(() => decide(parameters, wrong, options)).toThrow('rewards is [2, 1], expected [2, 3]');
      expect(() => decide(parameters, window, { ...options, actionDimensions: 4 })).toThrow('has 4 action dimensions');
    });
  });
});
