import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { isPool, selectedCount, type PoolModulation } from '../../../agent/config.ts';
import { actionFromToken } from '../../../agent/context/action-tokenizer.ts';
import { decide, decideByFullForward, type DecideOptions, type Decision } from '../../../agent/decision-transformer.ts';
import { dispose, memory, slice, tidy, type Tensor } from '../../../agent/ops.ts';
import type { WindowTensors } from '../../../agent/transformer/embedding.ts';
import { readParameters, type ParameterRecord } from '../../../agent/weights/names.ts';
import { startBackend, TEST_BACKENDS } from '../../unit/agent/support/backend.ts';
import {
  arrayOf,
  GOLDEN_MODEL,
  GOLDEN_NAMES,
  goldenBatch,
  goldenCase,
  goldenMeta,
  numbersOf,
} from './golden-case.ts';

const { actionSize, bins } = GOLDEN_MODEL;
const SOME = Math.min(4, actionSize);

interface Numbers {
  readonly actionTokens: number[];
  readonly logits: number[];
  readonly keys: number[];
  readonly similarity: number[];
  readonly query: number[];
}

function numbers(run: () => Decision): Numbers {
  const read = (x: Tensor | undefined): number[] => (x === undefined ? [] : Array.from(x.dataSync()));
  let result: Numbers | undefined;
  tidy(() => {
    const { actionTokens, logits, selection } = run();
    result = {
      actionTokens: read(actionTokens),
      logits: read(logits),
      keys: read(selection?.keys),
      similarity: read(selection?.similarity),
      query: read(selection?.query),
    };
  });
  return result!;
}

function farthest(a: readonly number[], b: readonly number[]): number {
  expect(a.length).toBe(b.length);
  return a.reduce((most, value, i) => Math.max(most, Math.abs(value - b[i]!)), 0);
}

describe.each(TEST_BACKENDS)('decisions on backend %s', (backend) => {
  beforeAll(() => startBackend(backend));

  describe.each(GOLDEN_NAMES)('%s', (name) => {
    const { config, weights, expected } = goldenCase(name);
    const { action_dims: actionSizes } = goldenMeta();
    let parameters: ParameterRecord;
    let window: WindowTensors & Record<string, Tensor>;

    beforeAll(() => {
      parameters = readParameters(weights, config);
      window = { ...goldenBatch() };
    });
    afterAll(() => dispose([...Object.values(parameters), ...Object.values(window)]));

    const options = (actionDimensions: number): DecideOptions => ({ ...config, actionDimensions, routing: {} });

    it('takes the decisions of the reference, all windows in one batch', () => {
      const { actionTokens } = numbers(() => decide(parameters, window, options(actionSize)));
      const wanted = numbersOf(expected, 'decoded_actions');
      actionSizes.forEach((size, row) => {
        const actual = actionTokens.slice(row * actionSize, row * actionSize + size).map((token) => actionFromToken(token, bins, false));
        expect(actual).toEqual(wanted.slice(row * actionSize, row * actionSize + size));
      });
    });

    it('agrees with one full forward for every dimension', () => {
      const fast = numbers(() => decide(parameters, window, options(actionSize)));
      const full = numbers(() => decideByFullForward(parameters, window, options(actionSize)));
      expect(fast.actionTokens).toEqual(full.actionTokens);
      expect(fast.keys).toEqual(full.keys);
      expect(farthest(fast.logits, full.logits)).toBeLessThan(1e-5);
    });

    it('gives every window what it gets alone and without its padding', () => {
      const together = numbers(() => decide(parameters, window, options(SOME)));
      const { valid_steps: validSteps } = goldenMeta();
      validSteps.forEach((valid, row) => {
        const alone = numbers(() => decide(parameters, rowWithoutPadding(window, row, valid), options(SOME)));
        expect(alone.actionTokens).toEqual(together.actionTokens.slice(row * SOME, (row + 1) * SOME));
        expect(farthest(alone.logits, together.logits.slice(row * SOME * bins, (row + 1) * SOME * bins))).toBeLessThan(1e-5);
      });
    });

    it('selects as the reference does, or nothing without a pool', () => {
      const actual = numbers(() => decide(parameters, window, options(1)));
      if (!isPool(config.modulation)) {
        expect(actual.keys).toEqual([]);
        return;
      }
      const selected = numbersOf(expected, 'selected');
      const cosines = numbersOf(expected, 'similarity');
      const [, keyCount = 0] = arrayOf(expected, 'similarity').shape;
      expect(actual.keys).toEqual(selected);
      expect(farthest(actual.query, numbersOf(expected, 'query'))).toBeLessThan(1e-5);
      const best = selected.filter((_, i) => i % selectedCount(config.modulation as PoolModulation) === 0);
      const wanted = best.map((key, row) => cosines[row * keyCount + key]!);
      expect(farthest(actual.similarity, wanted)).toBeLessThan(1e-5);
    });

    it('leaves no tensors behind', () => {
      const before = memory().numTensors;
      for (let i = 0; i < 3; i++) numbers(() => decide(parameters, window, options(2)));
      expect(memory().numTensors).toBe(before);
    });
  });
});

function rowWithoutPadding(window: WindowTensors & Record<string, Tensor>, row: number, valid: number): WindowTensors {
  const cut = (x: Tensor): Tensor => {
    const [, steps = 0, ...rest] = x.shape;
    return slice(x, [row, steps - valid, ...rest.map(() => 0)], [1, valid, ...rest]);
  };
  return {
    states: cut(window.states),
    actionTokens: cut(window.actionTokens),
    returnsToGo: cut(window.returnsToGo),
    rewards: cut(window.rewards),
    timesteps: cut(window.timesteps),
    stepMask: cut(window.stepMask),
  };
}
