import { beforeAll, describe, expect, it } from 'vitest';
import type { ModulationConfig, PromptForm } from '../../../../agent/config.ts';
import { decide, decideByFullForward } from '../../../../agent/decision-transformer.ts';
import { lossAndGradients } from '../../../../agent/learning/gradients.ts';
import { trainableNames } from '../../../../agent/learning/trainable.ts';
import { chosenKeys, selectKeys } from '../../../../agent/modulation/match.ts';
import { concat, gather, memory, mul, tensor, tidy, type Tensor } from '../../../../agent/ops.ts';
import { randomSource } from '../../../../agent/random.ts';
import type { WindowTensors } from '../../../../agent/transformer/embedding.ts';
import { initialiseParameters } from '../../../../agent/weights/initialise.ts';
import { POOL_NAME, type ParameterRecord } from '../../../../agent/weights/names.ts';
import { startBackend, TEST_BACKENDS } from '../support/backend.ts';
import { randomBatch, SMALL_MODEL } from '../support/random-batch.ts';

const prompts = (form: PromptForm): ModulationConfig => ({ kind: 'single-prompt', form, length: 3 });
const pool = (form: PromptForm) =>
  ({ kind: 'prompt-pool', form, poolSize: 5, keyCount: 5, length: 2, selected: 2 }) as const;

/** Every method but the pools of LoRA and (IA)³, which modulators.test.ts is about. */
const METHODS: readonly (readonly [string, ModulationConfig])[] = [
  ['LoRA', { kind: 'single-lora', rank: 2, scaling: 2 }],
  ['(IA)³', { kind: 'single-ia3' }],
  ['adapters', { kind: 'adapter', units: 3 }],
  ['prompt tuning', prompts('tokens')],
  ['P-tuning v2', prompts('block-tokens')],
  ['prefix tuning', prompts('key-values')],
  ['L2P with prompts', pool('tokens')],
  ['L2P with prompts a block', pool('block-tokens')],
  ['L2P with prefixes', pool('key-values')],
];

const read = (x: Tensor): number[] => Array.from(x.dataSync());

/** Every weight away from its initial value, so that nothing is the identity by accident. */
function stirred(modulation: ModulationConfig): ParameterRecord {
  const random = randomSource(3);
  const drawn = initialiseParameters({ model: SMALL_MODEL, modulation }, random);
  const noise = (x: Tensor): Tensor => {
    const values = Float32Array.from(x.dataSync(), (value) => value + 0.2 * random.normal());
    return tensor(values, x.shape);
  };
  return Object.fromEntries(Object.entries(drawn).map(([name, x]) => [name, noise(x)]));
}

function farthest(a: readonly number[], b: readonly number[]): number {
  expect(a.length).toBe(b.length);
  return a.reduce((most, value, i) => Math.max(most, Math.abs(value - b[i]!)), 0);
}

describe.each(TEST_BACKENDS)('methods on backend %s', (backend) => {
  beforeAll(() => startBackend(backend));

  describe.each(METHODS)('%s', (_, modulation) => {
    const options = { model: SMALL_MODEL, modulation, actionDimensions: 3, routing: {} };

    it('decides token by token as by whole windows, and unlike the bare model', () => {
      tidy(() => {
        const parameters = stirred(modulation);
        const window = randomBatch(SMALL_MODEL, 5, randomSource(2));
        const fast = decide(parameters, window, options);
        const full = decideByFullForward(parameters, window, options);
        expect(read(fast.actionTokens)).toEqual(read(full.actionTokens));
        expect(farthest(read(fast.logits), read(full.logits))).toBeLessThan(1e-5);
        const bare = decide(parameters, window, { ...options, modulation: { kind: 'none' } });
        expect(farthest(read(fast.logits), read(bare.logits))).toBeGreaterThan(1e-3);
      });
    });

    it('gives a window in a batch what it gets alone', () => {
      tidy(() => {
        const parameters = stirred(modulation);
        const window = randomBatch(SMALL_MODEL, 4, randomSource(2));
        const together = read(decide(parameters, window, options).logits);
        const size = together.length / 4;
        for (let row = 0; row < 4; row++) {
          const pick = (x: Tensor): Tensor => gather(x, tensor([row], [1], 'int32'));
          const alone = Object.fromEntries(Object.entries(window).map(([name, x]) => [name, pick(x as Tensor)]));
          const logits = read(decide(parameters, alone as unknown as WindowTensors, options).logits);
          expect(farthest(logits, together.slice(row * size, (row + 1) * size))).toBeLessThan(1e-5);
        }
      });
    });

    it('has the gradients that differences show', () => {
      tidy(() => {
        const parameters = stirred(modulation);
        const batch = randomBatch(SMALL_MODEL, 3, randomSource(2));
        const names = trainableNames('pool', options);
        const lossOf = (changed: ParameterRecord): number => {
          const result = lossAndGradients({ ...parameters, ...changed }, batch, loss);
          return read(result.loss)[0]!;
        };
        const loss = { ...options, pullWeight: 0.5, trainableNames: names };
        const { gradients } = lossAndGradients(parameters, batch, loss);
        names.forEach((name, i) => {
          const gradient = read(gradients[i]!);
          const norm = Math.hypot(...gradient);
          expect(norm, name).toBeGreaterThan(0);
          // Along the gradient the loss rises by its norm times the distance.
          const step = mul(gradients[i]!, 1e-2 / norm);
          const up = lossOf({ [name]: parameters[name]!.add(step) });
          const down = lossOf({ [name]: parameters[name]!.sub(step) });
          expect((up - down) / 2e-2 / norm, name).toBeCloseTo(1, 1);
        });
      });
    });
  });

  it('leaves no tensors behind', () => {
    const modulation = prompts('tokens');
    tidy(() => {
      const parameters = stirred(modulation);
      const window = randomBatch(SMALL_MODEL, 3, randomSource(2));
      const options = { model: SMALL_MODEL, modulation, actionDimensions: 2, routing: {} };
      const before = memory().numTensors;
      for (let i = 0; i < 3; i++) tidy(() => void decide(parameters, window, options));
      expect(memory().numTensors).toBe(before);
    });
  });

  it('selects several keys, best first, never one twice and never an excluded one', () => {
    tidy(() => {
      const cosines = tensor(Float32Array.of(0.9, -0.5, 0.1, -0.2, 0.3, 0.8), [2, 3]);
      expect(read(selectKeys(cosines, {}, 2))).toEqual([0, 2, 2, 1]);
      expect(read(selectKeys(cosines, {}, 3))).toEqual([0, 2, 1, 2, 1, 0]);
      const scoreBias = tensor([-1e9, 0, 0]);
      expect(read(selectKeys(cosines, { scoreBias }, 2))).toEqual([2, 1, 2, 1]);
      expect(read(chosenKeys(selectKeys(cosines, {}, 2), 3))).toEqual([1, 0, 1, 0, 1, 1]);
    });
  });

  it('puts the prompts of a window one after the other, in the order of its keys', () => {
    tidy(() => {
      const modulation = pool('tokens');
      const parameters = stirred(modulation);
      const window = randomBatch(SMALL_MODEL, 1, randomSource(2));
      const options = { model: SMALL_MODEL, modulation, actionDimensions: 1, routing: {} };
      const pooled = decide(parameters, window, options);
      const [first, second] = read(pooled.selection!.keys) as [number, number];
      const row = (key: number): Tensor => gather(parameters[POOL_NAME]!, key).reshape([2, SMALL_MODEL.width]);
      const single = { kind: 'single-prompt', form: 'tokens', length: 4 } as const;
      const both = { ...parameters, 'prompt.prompt.weight': concat([row(first), row(second)], 0) };
      const alone = decide(both, window, { ...options, modulation: single });
      expect(farthest(read(pooled.logits), read(alone.logits))).toBeLessThan(1e-6);
    });
  });
});
