import { beforeAll, describe, expect, it } from 'vitest';
import { DROPOUT_KEYS_SHAPE, dropoutKeys, dropoutOf, REFERENCE_DROPOUT } from '../../../../agent/learning/dropout.ts';
import { isPool, METHOD_PRESETS } from '../../../../agent/config.ts';
import { policyLoss } from '../../../../agent/learning/loss.ts';
import { gatherModulators } from '../../../../agent/modulation/gather.ts';
import type { PrefixModulator } from '../../../../agent/modulation/prefix.ts';
import { tensor, tidy, valueAndGrads, sumAll, type Scalar } from '../../../../agent/ops.ts';
import { randomSource } from '../../../../agent/random.ts';
import { initialiseParameters } from '../../../../agent/weights/initialise.ts';
import { startBackend, TEST_BACKENDS } from '../support/backend.ts';
import { randomBatch, SMALL_MODEL } from '../support/random-batch.ts';

const keysOf = (seed: number) => tensor(dropoutKeys(randomSource(seed)), [...DROPOUT_KEYS_SHAPE]);

/** Masks of several calls in a row, 1 where a value is dropped. */
function masks(seed: number, shapes: readonly number[][]): Uint8Array[] {
  return tidy(() => {
    const dropout = dropoutOf(keysOf(seed), REFERENCE_DROPOUT);
    return shapes.map((shape) => {
      const ones = tensor(new Float32Array(shape.reduce((a, b) => a * b, 1)).fill(1), shape);
      return Uint8Array.from(dropout(ones, 'residual').dataSync(), (value) => Number(value === 0));
    });
  });
}

const RATE = 6554 / 65536;
const byBackend = new Map<string, string>();

/** Correlation of two equally long masks, in standard deviations of what chance gives. */
function correlation(one: ArrayLike<number>, other: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < one.length; i++) sum += (one[i]! - RATE) * (other[i]! - RATE);
  return sum / (RATE * (1 - RATE) * Math.sqrt(one.length));
}

describe.each(TEST_BACKENDS)('dropout on backend %s', (backend) => {
  beforeAll(() => startBackend(backend));

  it('is a function of the keys and the order of calls, the same on every backend', () => {
    const shapes = [
      [3, 7, 16],
      [2, 2, 9, 11],
      [3, 7, 16],
    ];
    const first = masks(1, shapes);
    expect(masks(1, shapes)).toEqual(first);
    expect(masks(2, shapes)).not.toEqual(first);
    expect(first[2]).not.toEqual(first[0]);
    byBackend.set(backend, first.map(String).join());
    expect(new Set(byBackend.values()).size).toBe(1);
  });

  it('scales what stays, so that the mean stays; a rate of 0 changes nothing', () => {
    tidy(() => {
      const x = tensor([1, 2, 3, 4], [2, 2]);
      expect(dropoutOf(keysOf(1), { ...REFERENCE_DROPOUT, residual: 0 })(x, 'residual')).toBe(x);
      const ones = tensor(new Float32Array(1000).fill(1), [50, 20]);
      const values = new Set(dropoutOf(keysOf(1), REFERENCE_DROPOUT)(ones, 'embedding').dataSync());
      expect([...values].sort()).toEqual([0, Math.fround(1 / (1 - RATE))]);
    });
    expect(() => dropoutOf(keysOf(1), { ...REFERENCE_DROPOUT, attention: 1 })).toThrow(/attention/);
  });

  it('gives gradients through the values that stay', () => {
    tidy(() => {
      const f = (x: ReturnType<typeof tensor>) =>
        sumAll(dropoutOf(keysOf(3), REFERENCE_DROPOUT)(x, 'attention')) as Scalar;
      const x = tensor(new Float32Array(200).fill(2), [20, 10]);
      const { value, grads } = valueAndGrads(f)([x]);
      const gradient = grads[0]!.dataSync<'float32'>();
      expect(gradient.reduce((sum, each) => sum + 2 * each, 0)).toBeCloseTo(value.dataSync()[0]!, 2);
      expect([...gradient].some((each) => each === 0)).toBe(true);
    });
  });

  it('changes the loss of a model, differently for other keys, and not at all where it is off', () => {
    const config = { model: SMALL_MODEL, modulation: { kind: 'none' } } as const;
    const parameters = initialiseParameters(config, randomSource(1));
    const batch = randomBatch(SMALL_MODEL, 3, randomSource(2));
    const loss = (seed: number | undefined) =>
      tidy(() => {
        const dropout =
          seed === undefined
            ? undefined
            : dropoutOf(keysOf(seed), { embedding: 0.5, attention: 0.5, residual: 0.5, prompt: 0.5 });
        const options = { ...config, pullWeight: 0, selectedKeys: null, routing: {}, dropout };
        return policyLoss(parameters, batch, options).loss.dataSync()[0]!;
      });
    expect(loss(1)).toBe(loss(1));
    expect(new Set([loss(undefined), loss(1), loss(2)]).size).toBe(3);
  });

  it.each(['prompt-tuning', 'p-tuning-v2', 'prefix-tuning', 'l2p-pt', 'l2p-pv2', 'l2p-pret'] as const)(
    'drops values of the prompts of %s, each window by a mask of its own',
    (method) => {
      const preset = METHOD_PRESETS[method];
      const modulation = 'poolSize' in preset ? { ...preset, poolSize: 6, keyCount: 6, selected: 2 } : preset;
      const config = { model: SMALL_MODEL, modulation };
      const batch = randomBatch(SMALL_MODEL, 2, randomSource(2));
      const rates = { embedding: 0, attention: 0, residual: 0, prompt: 0.5 };
      const prefixes = (seed: number) =>
        tidy(() => {
          const parameters = initialiseParameters(config, randomSource(1));
          const selected = tensor([0, 1, 0, 1], [2, 2], 'int32');
          const learning = { dropout: dropoutOf(keysOf(seed), rates), batch: 2 };
          const [modulator] = gatherModulators(parameters, selected, { ...config, learning });
          const values = [...(modulator as PrefixModulator).value.dataSync<'float32'>()];
          return [values.slice(0, values.length / 2), values.slice(values.length / 2)] as const;
        });
      const [one, other] = prefixes(1);
      expect(one).not.toEqual(other);
      expect(prefixes(1)).toEqual([one, other]);
      expect(prefixes(2)[0]).not.toEqual(one);

      const loss = (seed: number | undefined) =>
        tidy(() => {
          const parameters = initialiseParameters(config, randomSource(1));
          const dropout = seed === undefined ? undefined : dropoutOf(keysOf(seed), rates);
          const selectedKeys = isPool(modulation) ? tensor([0, 1, 0, 1], [2, 2], 'int32') : null;
          const options = { ...config, pullWeight: 0, selectedKeys, routing: {}, dropout };
          return policyLoss(parameters, batch, options).loss.dataSync()[0]!;
        });
      expect(new Set([loss(undefined), loss(1), loss(2)]).size).toBe(3);
    },
  );
});

describe('masks of dropout', () => {
  const [rows, columns] = [1200, 192] as const;
  const count = rows * columns;
  beforeAll(() => startBackend(TEST_BACKENDS.at(-1)!));

  it.each([1, 2, 3, 4])('look like chance (seed %i)', (seed) => {
    const [mask, next] = masks(seed, [
      [rows, columns],
      [rows, columns],
    ]) as [Uint8Array, Uint8Array];
    const dropped = mask.reduce((sum, each) => sum + each, 0);
    expect(Math.abs(dropped - RATE * count) / Math.sqrt(count * RATE * (1 - RATE))).toBeLessThan(4.5);
    // Deviations of the means of rows and columns, squared, in units of their variance: 1 by chance.
    const spread = (groups: number, size: number, at: (group: number, i: number) => number): number => {
      let sum = 0;
      for (let group = 0; group < groups; group++) {
        let inGroup = 0;
        for (let i = 0; i < size; i++) inGroup += mask[at(group, i)]!;
        sum += (inGroup - RATE * size) ** 2 / (size * RATE * (1 - RATE));
      }
      return sum / groups;
    };
    expect(Math.abs(spread(rows, columns, (row, i) => row * columns + i) - 1)).toBeLessThan(0.2);
    expect(Math.abs(spread(columns, rows, (column, i) => i * columns + column) - 1)).toBeLessThan(0.5);
    // Neighbours along rows and columns, the next mask, and the mask of the next seed.
    const [other] = masks(seed + 100, [[rows, columns]]) as [Uint8Array];
    for (const lag of [1, 2, 3, 9, columns, 2 * columns, 45 * columns]) {
      expect(Math.abs(correlation(mask.subarray(lag), mask.subarray(0, count - lag)))).toBeLessThan(4.5);
    }
    expect(Math.abs(correlation(mask, next))).toBeLessThan(4.5);
    expect(Math.abs(correlation(mask, other))).toBeLessThan(4.5);
  });

  it('have no two columns alike: the fourth moment of their correlations is that of chance', () => {
    const [mask] = masks(9, [[rows, columns]]) as [Uint8Array];
    const byColumn = Array.from({ length: columns }, (_, c) =>
      Uint8Array.from({ length: rows }, (_, r) => mask[r * columns + c]!),
    );
    let [second, fourth, worst, pairs] = [0, 0, 0, 0];
    for (let a = 0; a < columns; a++) {
      for (let b = 0; b < a; b++) {
        const z = correlation(byColumn[a]!, byColumn[b]!);
        second += z ** 2;
        fourth += z ** 4;
        worst = Math.max(worst, Math.abs(z));
        pairs++;
      }
    }
    expect(Math.abs(second / pairs - 1)).toBeLessThan(0.06);
    expect(Math.abs(fourth / pairs / 3 - 1)).toBeLessThan(0.25);
    expect(worst).toBeLessThan(6);
  });
});
