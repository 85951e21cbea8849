import { beforeAll, describe, expect, it } from 'vitest';
import type { ModulationConfig } from '../../../agent/config.ts';
import { decide } from '../../../agent/decision-transformer.ts';
import { explainDecision } from '../../../agent/explain-decision.ts';
import { concat, memory, reshape, slice, tensor, tidy, type Tensor } from '../../../agent/ops.ts';
import { randomSource } from '../../../agent/random.ts';
import { initialiseParameters } from '../../../agent/weights/initialise.ts';
import { startBackend, TEST_BACKENDS } from './support/backend.ts';
import { randomBatch, SMALL_MODEL } from './support/random-batch.ts';

const METHODS: readonly (readonly [string, ModulationConfig, prefix: number])[] = [
  ['no modulation', { kind: 'none' }, 0],
  ['a pool of LoRA', { kind: 'lora', poolSize: 5, keyCount: 5, rank: 2, scaling: 2 }, 0],
  ['prompts before the window', { kind: 'single-prompt', form: 'tokens', length: 4 }, 4],
];
const WINDOWS = 4;
const { actionSize, blocks, bins, context, heads, width } = SMALL_MODEL;
const TOKENS = context * (actionSize + 3);

const read = (x: Tensor): number[] => Array.from(x.dataSync());

describe.each(TEST_BACKENDS)('explanations on %s', (backend) => {
  beforeAll(() => startBackend(backend));

  function decided(modulation: ModulationConfig) {
    const random = randomSource(5);
    const drawn = initialiseParameters({ model: SMALL_MODEL, modulation }, random);
    const stir = (x: Tensor) =>
      tensor(
        Float32Array.from(x.dataSync(), (v) => v + 0.3 * random.normal()),
        x.shape,
      );
    const parameters = Object.fromEntries(Object.entries(drawn).map(([name, x]) => [name, stir(x)]));
    const window = randomBatch(SMALL_MODEL, WINDOWS, random);
    const options = { model: SMALL_MODEL, modulation, routing: {} };
    const decision = decide(parameters, window, { ...options, actionDimensions: actionSize });
    const past = slice(window.actionTokens, [0, 0, 0], [WINDOWS, context - 1, actionSize]);
    const chosen = reshape(decision.actionTokens, [WINDOWS, 1, actionSize]);
    const known = { ...window, actionTokens: concat([past, chosen], 1) };
    const explain = (attentionOf: number | null) => explainDecision(parameters, known, { ...options, attentionOf });
    return { decision, explain, stepMask: read(window.stepMask) };
  }

  it.each(METHODS)('give the logits, query and choice that the decision had: %s', (_, modulation) => {
    tidy(() => {
      const { decision, explain } = decided(modulation);
      const explanation = explain(null);
      expect(explanation.logits.shape).toEqual([WINDOWS, actionSize, bins]);
      const [got, expected] = [read(explanation.logits), read(decision.logits)];
      got.forEach((logit, i) => expect(Math.abs(logit - expected[i]!)).toBeLessThan(2e-4));
      expect(explanation.attention).toBeNull();
      if (decision.selection === null) {
        expect(explanation.pool).toBeNull();
        return;
      }
      const cosines = read(explanation.pool!.similarities);
      const best = read(decision.selection.keys).map((key, row) => cosines[row * 5 + key]!);
      best.forEach((cosine, row) => expect(cosine).toBe(Math.max(...cosines.slice(row * 5, row * 5 + 5))));
      expect(read(explanation.pool!.query)).toEqual(read(decision.selection.query));
      expect(explanation.state.shape).toEqual([WINDOWS, width]);
    });
  });

  it.each(METHODS)(
    'show the attention of every block: of real, earlier tokens alone, one in sum: %s',
    (_, modulation, prefix) => {
      tidy(() => {
        const { explain, stepMask } = decided(modulation);
        const maps = Array.from({ length: blocks }, (_, block) => explain(block).attention!);
        for (const map of maps) expect(map.shape).toEqual([WINDOWS, heads, TOKENS, prefix + TOKENS]);
        expect(read(maps[0]!)).not.toEqual(read(maps[1]!));
        const weights = read(maps[blocks - 1]!);
        for (let row = 0; row < WINDOWS * heads * TOKENS; row++) {
          const [window, query] = [Math.floor(row / (heads * TOKENS)), row % TOKENS];
          const line = weights.slice(row * (prefix + TOKENS), (row + 1) * (prefix + TOKENS));
          expect(line.reduce((sum, weight) => sum + weight, 0)).toBeCloseTo(1, 4);
          const real = (token: number) => stepMask[window * context + Math.floor(token / (actionSize + 3))] === 1;
          if (!real(query)) continue;
          for (let key = 0; key < TOKENS; key++) {
            if (key > query || !real(key)) expect(line[prefix + key]).toBe(0);
          }
        }
      });
    },
  );

  it('leave no tensor behind', () => {
    const before = memory().numTensors;
    tidy(() => void decided({ kind: 'none' }).explain(0));
    expect(memory().numTensors).toBe(before);
  });
});
