import { beforeAll, describe, expect, it } from 'vitest';
import type { PolicyConfig } from '../../../../agent/config.ts';
import { decide, decideByFullForward, type DecideOptions } from '../../../../agent/decision-transformer.ts';
import { explainDecision } from '../../../../agent/explain-decision.ts';
import { policyLoss, selectForTraining } from '../../../../agent/learning/loss.ts';
import { mul, slice, tensor, tidy, valueAndGrads, type Scalar, type Tensor } from '../../../../agent/ops.ts';
import { randomSource } from '../../../../agent/random.ts';
import { initialiseParameters } from '../../../../agent/weights/initialise.ts';
import { poolShapes, type ParameterRecord } from '../../../../agent/weights/names.ts';
import { startBackend, TEST_BACKENDS } from '../support/backend.ts';
import { randomBatch, SMALL_MODEL } from '../support/random-batch.ts';

const PLAIN = { kind: 'lora', poolSize: 4, keyCount: 4, rank: 2, scaling: 2 } as const;
const ENDS = { ...PLAIN, ends: true } as const;
const OUTGOING = ['prompt.state_b', 'prompt.action_b', 'prompt.head_b'] as const;
const WAVING = { ...SMALL_MODEL, observationWaves: [2, 8] };

type Config = Pick<PolicyConfig, 'model' | 'modulation'>;

/** With ends that change something, in a body whose attention carries it on. */
function changed(config: Config, names: readonly string[] = OUTGOING): ParameterRecord {
  const drawn = initialiseParameters(config, randomSource(1));
  const random = randomSource(9);
  const noise = (x: Tensor): Tensor =>
    tensor(
      Float32Array.from({ length: x.size }, () => 0.5 * random.normal()),
      x.shape,
    );
  const louder = Object.entries(drawn).filter(([name]) => /\.attn\.c_(attn|proj)\.weight$/.test(name));
  return {
    ...drawn,
    ...Object.fromEntries(louder.map(([name, x]) => [name, mul(x, 10)])),
    ...Object.fromEntries(names.map((name) => [name, noise(drawn[name]!)])),
  };
}

function largestDifference(a: ArrayLike<number>, b: ArrayLike<number>): number {
  return Math.max(...Array.from(a, (value, i) => Math.abs(value - b[i]!)));
}

describe.each(TEST_BACKENDS)('modulators of the ends on backend %s', (backend) => {
  beforeAll(() => startBackend(backend));

  it('have a row of each table for every modulator, waves included', () => {
    expect(poolShapes(WAVING, ENDS)).toMatchObject({
      ...{ 'prompt.state_a': [4, 50, 2], 'prompt.state_b': [4, 2, 16] },
      ...{ 'prompt.action_a': [4, 9, 2], 'prompt.action_b': [4, 2, 16] },
      ...{ 'prompt.head_a': [4, 16, 2], 'prompt.head_b': [4, 2, 8] },
    });
    expect(Object.keys(poolShapes(WAVING, PLAIN))).toEqual(['prompt.prompt_key', 'prompt.lora_a', 'prompt.lora_b']);
  });

  it.each([SMALL_MODEL, WAVING])('change nothing while their outgoing matrices are zero', (model) => {
    tidy(() => {
      const parameters = initialiseParameters({ model, modulation: ENDS }, randomSource(1));
      const window = randomBatch(model, 5, randomSource(2));
      const logits = (modulation: PolicyConfig['modulation']) =>
        decide(parameters, window, { model, modulation, actionDimensions: 3, routing: {} }).logits.dataSync();
      expect(logits(ENDS)).toEqual(logits({ kind: 'none' }));
    });
  });

  it.each([SMALL_MODEL, WAVING, { ...WAVING, pastActions: 'hidden' as const }])(
    'decide token by token as by full forwards, and are explained by the same logits',
    (model) => {
      tidy(() => {
        const config = { model, modulation: ENDS };
        const parameters = changed(config);
        const window = randomBatch(model, 7, randomSource(2));
        const options: DecideOptions = { ...config, actionDimensions: 3, routing: {} };
        const fast = decide(parameters, window, options);
        const slow = decideByFullForward(parameters, window, options);
        expect(fast.actionTokens.dataSync()).toEqual(slow.actionTokens.dataSync());
        expect(largestDifference(fast.logits.dataSync(), slow.logits.dataSync())).toBeLessThan(1e-4);
        // The selection reads states as they are without the change.
        const plain = decide(parameters, window, { ...options, modulation: PLAIN });
        expect(fast.selection!.keys.dataSync()).toEqual(plain.selection!.keys.dataSync());
        expect(largestDifference(fast.logits.dataSync(), plain.logits.dataSync())).toBeGreaterThan(0.01);

        const tokens = window.actionTokens.arraySync() as number[][][];
        const chosen = fast.actionTokens.arraySync() as number[][];
        tokens.forEach((steps, row) => (steps[steps.length - 1] = chosen[row]!));
        const known = { ...window, actionTokens: tensor(tokens.flat(2), window.actionTokens.shape, 'int32') };
        const explained = explainDecision(parameters, known, { ...config, routing: {}, attentionOf: null });
        expect(largestDifference(explained.logits.dataSync(), fast.logits.dataSync())).toBeLessThan(1e-4);
      });
    },
  );

  it.each(OUTGOING)('decide each window by its own row of %s', (name) => {
    tidy(() => {
      const config = { model: SMALL_MODEL, modulation: ENDS };
      const parameters = changed(config, [name]);
      const window = randomBatch(SMALL_MODEL, 6, randomSource(2));
      const options: DecideOptions = { ...config, actionDimensions: 3, routing: {} };
      const { logits, selection } = decide(parameters, window, options);
      const keys = Array.from(selection!.keys.dataSync());
      expect(new Set(keys).size).toBeGreaterThan(1);
      const { bins } = SMALL_MODEL;
      const lastOf = (x: Tensor, row: number) => slice(x, [row, 2, 0], [1, 1, bins]).dataSync();
      for (const key of new Set(keys)) {
        const bias = new Float32Array(4).fill(-1e9).with(key, 0);
        const forced = decide(parameters, window, { ...options, routing: { scoreBias: tensor(bias) } }).logits;
        keys.forEach((chosen, row) => {
          const apart = largestDifference(lastOf(logits, row), lastOf(forced, row));
          if (chosen === key) expect(apart).toBeLessThan(1e-5);
          else expect(apart).toBeGreaterThan(1e-4);
        });
      }
    });
  });

  it.each(OUTGOING)('learn: the gradient of %s is that of differences', (name) => {
    tidy(() => {
      const config = { model: WAVING, modulation: ENDS };
      const parameters = changed(config);
      const batch = randomBatch(WAVING, 6, randomSource(2));
      const selectedKeys = selectForTraining(parameters, batch, { ...config, routing: {} })!.selectedKeys;
      const of = (x: Tensor): Scalar =>
        policyLoss({ ...parameters, [name]: x }, batch, { ...config, routing: {}, pullWeight: 0, selectedKeys })
          .loss as Scalar;
      const at = parameters[name]!;
      const values = at.dataSync<'float32'>();
      const gradient = valueAndGrads(of)([at]).grads[0]!.dataSync<'float32'>();
      const steepest = gradient.reduce((best, g, i) => (Math.abs(g) > Math.abs(gradient[best]!) ? i : best), 0);
      expect(Math.abs(gradient[steepest]!)).toBeGreaterThan(1e-4);
      const step = 1 / 64;
      for (const i of [steepest, 0, gradient.length - 1]) {
        const value = (shift: number): number =>
          of(tensor(values.slice().with(i, values[i]! + shift), at.shape)).dataSync()[0]!;
        const slope = (8 * (value(step) - value(-step)) - (value(2 * step) - value(-2 * step))) / (12 * step);
        expect(Math.abs(slope - gradient[i]!)).toBeLessThan(1e-3);
      }
    });
  });
});
