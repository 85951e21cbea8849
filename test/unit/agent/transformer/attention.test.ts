import { beforeAll, describe, expect, it } from 'vitest';
import type { ModulationConfig } from '../../../../agent/config.ts';
import { decide, decideByFullForward } from '../../../../agent/decision-transformer.ts';
import { slice, tensor, tidy, type Tensor } from '../../../../agent/ops.ts';
import { randomSource } from '../../../../agent/random.ts';
import { gatherModulators } from '../../../../agent/modulation/gather.ts';
import { decodeAll } from '../../../../agent/transformer/decoder.ts';
import { embedWindow, type WindowTensors } from '../../../../agent/transformer/embedding.ts';
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

  it('is no action of an earlier step where those are hidden, not even through the reward that came of it', () => {
    // Steps of [state, return-to-go, two actions, reward]; seen keys of each query in the second step.
    const layout = { perStep: 5, total: 10, pastActions: 'hidden' } as const;
    const mask = tidy(() => attentionMask(tensor([1, 1], [1, 2]), layout).arraySync()) as number[][][][];
    const seen = mask[0]![0]!.map((row) => row.flatMap((value, key) => (value === 0 ? [key] : [])));
    expect(seen).toEqual([
      [0],
      [0, 1],
      [0, 1, 2],
      [0, 1, 2, 3],
      [0, 1, 4],
      [0, 1, 4, 5],
      [0, 1, 4, 5, 6],
      [0, 1, 4, 5, 6, 7],
      [0, 1, 4, 5, 6, 7, 8],
      [0, 1, 4, 5, 6, 9],
    ]);
  });

  it.each([
    ['seen', SMALL_MODEL],
    ['hidden', { ...SMALL_MODEL, pastActions: 'hidden' }],
    ['seen, with observation waves', { ...SMALL_MODEL, observationWaves: [2, 5] }],
  ] as const)('where past actions are %s, decides so, token by token as in one forward', (how, model) => {
    const config = { model, modulation: { kind: 'none' } } as const;
    tidy(() => {
      const parameters = initialiseParameters(config, randomSource(1));
      const window = randomBatch(model, 4, randomSource(2));
      const [batch, steps, size] = window.actionTokens.shape as [number, number, number];
      const others = window.actionTokens
        .dataSync()
        .map((token, i) => (Math.floor(i / size) % steps < steps - 1 ? (token + 1) % model.bins : token));
      const changed = { ...window, actionTokens: tensor(others, [batch, steps, size], 'int32') };
      const options = { ...config, actionDimensions: 3, routing: {} };
      const logits = decide(parameters, window, options).logits.dataSync<'float32'>();
      const apart = (other: ArrayLike<number>): number =>
        logits.reduce((most, x, i) => Math.max(most, Math.abs(x - other[i]!)), 0);
      expect(apart(decideByFullForward(parameters, window, options).logits.dataSync())).toBeLessThan(1e-6);
      const moved = apart(decide(parameters, changed, options).logits.dataSync());
      if (how === 'hidden') expect(moved).toBe(0);
      else expect(moved).toBeGreaterThan(1e-4);
    });
  });

  it.each<[string, ModulationConfig]>([
    ['nothing', { kind: 'none' }],
    ['a prompt', { kind: 'single-prompt', form: 'tokens', length: 3 }],
    ['a prefix', { kind: 'single-prompt', form: 'key-values', length: 3 }],
  ])('is the same whether padded steps are masked or left out, with %s before the window', (_, modulation) => {
    tidy(() => {
      const config = { model: SMALL_MODEL, modulation };
      const parameters = initialiseParameters(config, randomSource(1));
      const windows = randomBatch(SMALL_MODEL, SMALL_MODEL.context, randomSource(2));
      const hidden = (window: WindowTensors): Float32Array => {
        const tokens = embedWindow(parameters, window, SMALL_MODEL);
        const modulators = gatherModulators(parameters, null, config);
        return decodeAll(
          parameters,
          { tokens, stepMask: window.stepMask, modulators },
          SMALL_MODEL,
        ).dataSync<'float32'>();
      };
      const masked = hidden(windows);
      const perWindow = masked.length / SMALL_MODEL.context;
      for (let row = 1; row < SMALL_MODEL.context; row++) {
        const kept = hidden(withoutFirstSteps(windows, row, row));
        const same = masked.slice((row + 1) * perWindow - kept.length, (row + 1) * perWindow);
        const apart = kept.reduce((most, value, i) => Math.max(most, Math.abs(value - same[i]!)), 0);
        expect(apart).toBeLessThanOrEqual(1e-6);
      }
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

/** One window of the batch, alone and shorter. */
function withoutFirstSteps(windows: WindowTensors, row: number, dropped: number): WindowTensors {
  const cut = (x: Tensor): Tensor => {
    const [, steps = 0, ...rest] = x.shape;
    return slice(x, [row, dropped, ...rest.map(() => 0)], [1, steps - dropped, ...rest]);
  };
  return {
    states: cut(windows.states),
    actionTokens: cut(windows.actionTokens),
    returnsToGo: cut(windows.returnsToGo),
    rewards: cut(windows.rewards),
    timesteps: cut(windows.timesteps),
    stepMask: cut(windows.stepMask),
  };
}
