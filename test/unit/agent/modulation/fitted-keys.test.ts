import { beforeAll, describe, expect, test } from 'vitest';
import { decide } from '../../../../agent/decision-transformer.ts';
import { nearestRows, sphericalMeans } from '../../../../agent/modulation/fitted-keys.ts';
import { addKeys, emptyKeyTable, hasKeysOf, IDENTITY_ROW } from '../../../../agent/modulation/key-table.ts';
import { similarities, windowQuery } from '../../../../agent/modulation/query.ts';
import { tensor, tidy, type Tensor } from '../../../../agent/ops.ts';
import { randomSource, type RandomSource } from '../../../../agent/random.ts';
import { embedWindow } from '../../../../agent/transformer/embedding.ts';
import { initialiseParameters } from '../../../../agent/weights/initialise.ts';
import { KEY_BIAS_NAME, KEY_MODULATOR_NAME, KEY_NAME, LORA_OUT_NAME } from '../../../../agent/weights/names.ts';
import { startBackend, TEST_BACKENDS } from '../support/backend.ts';
import { randomBatch, SMALL_MODEL } from '../support/random-batch.ts';

const WIDTH = 8;

/** Vectors around one direction, of any length. */
function cloud(axis: number, count: number, random: RandomSource): Float32Array {
  return Float32Array.from({ length: count * WIDTH }, (_, i) => {
    const along = i % WIDTH === axis ? 4 : 0;
    return along + 0.3 * random.normal();
  });
}

describe('directions fitted to many vectors', () => {
  test('find the clouds they come from, whatever the lengths of the vectors', () => {
    const random = randomSource(3);
    const parts = [0, 3, 5].map((axis) => cloud(axis, 40, random));
    const all = new Float32Array(3 * 40 * WIDTH);
    parts.forEach((part, i) =>
      all.set(
        part.map((value) => value * (1 + i)),
        i * part.length,
      ),
    );
    const means = sphericalMeans(all, { width: WIDTH, count: 3, random: randomSource(1) });
    const found = [0, 1, 2].map((row) => {
      const mean = means.subarray(row * WIDTH, (row + 1) * WIDTH);
      expect(Math.hypot(...mean)).toBeCloseTo(1, 5);
      return mean.indexOf(Math.max(...mean));
    });
    expect(found.sort()).toEqual([0, 3, 5]);
    const nearest = nearestRows(all, means, WIDTH);
    for (const begin of [0, 40, 80]) expect(new Set(nearest.subarray(begin, begin + 40)).size).toBe(1);
  });

  test('are no more than there are vectors, and the same for the same seed', () => {
    const vectors = cloud(2, 3, randomSource(5));
    const fit = () => sphericalMeans(vectors, { width: WIDTH, count: 10, random: randomSource(9) });
    expect(fit()).toHaveLength(3 * WIDTH);
    expect(fit()).toEqual(fit());
    expect(
      sphericalMeans(new Float32Array(2 * WIDTH), { width: WIDTH, count: 2, random: randomSource(1) }),
    ).toHaveLength(0);
  });
});

describe('a table of keys', () => {
  test('fills up from the first place and refuses what has no room', () => {
    const table = emptyKeyTable(4, 2);
    addKeys(table, Float32Array.of(1, 0, 0, 1), { modulator: 0 });
    addKeys(table, Float32Array.of(-1, 0), { modulator: 2 });
    expect([...table.modulators]).toEqual([0, 0, 2, 0]);
    expect(table.biases.map((bias) => (bias === 0 ? 1 : 0))).toEqual(Float32Array.of(1, 1, 1, 0));
    expect(hasKeysOf(table, 2)).toBe(true);
    expect(hasKeysOf(table, 1)).toBe(false);
    expect(() => addKeys(table, Float32Array.of(1, 1, 1, 1), { modulator: 1 })).toThrow(
      '2 keys for a table of 4 with 3 in use',
    );
  });
});

describe.each(TEST_BACKENDS)('a pool of fitted keys on backend %s', (backend) => {
  beforeAll(() => startBackend(backend));

  const modulation = { kind: 'lora', poolSize: 3, keyCount: 12, rank: 2, scaling: 2, keyTable: true } as const;
  const config = { model: SMALL_MODEL, modulation };

  /** Windows of one kind: all states lie around one direction, so that their queries do too. */
  const windowsOf = (kind: number, count: number, seed: number) => {
    const random = randomSource(seed);
    const batch = randomBatch(SMALL_MODEL, count, random);
    const { context, stateSize } = SMALL_MODEL;
    const states = Float32Array.from(
      { length: count * context * stateSize },
      (_, i) => (i % stateSize === kind ? 6 : 0) + 0.5 * random.normal(),
    );
    return { ...batch, states: tensor(states, [count, context, stateSize]) };
  };
  const read = (compute: () => Tensor): Float32Array => tidy(() => compute().dataSync()) as Float32Array;

  test('leaves what the frozen model was trained on exactly as it was, and modulates the new tasks', () => {
    const parameters = initialiseParameters(config, randomSource(1));
    const queriesOf = (kind: number, seed: number) => {
      const window = windowsOf(kind, 64, seed);
      return read(() => windowQuery(embedWindow(parameters, window, SMALL_MODEL), window.stepMask));
    };
    const { width } = SMALL_MODEL;
    const fit = (queries: Float32Array) => sphericalMeans(queries, { width, count: 4, random: randomSource(7) });
    const table = emptyKeyTable(modulation.keyCount, width);
    addKeys(table, fit(queriesOf(0, 10)), { modulator: IDENTITY_ROW });
    addKeys(table, fit(queriesOf(3, 11)), { modulator: 1 });
    addKeys(table, fit(queriesOf(6, 12)), { modulator: 2 });

    // Rows 1 and 2 do something, row 0 nothing.
    const rowLength = parameters[LORA_OUT_NAME]!.size / modulation.poolSize;
    const random = randomSource(4);
    const out = Float32Array.from({ length: modulation.poolSize * rowLength }, (_, i) =>
      i < rowLength ? 0 : random.normal(),
    );
    const fitted = {
      ...parameters,
      [KEY_NAME]: tensor(table.keys, [modulation.keyCount, width]),
      [KEY_MODULATOR_NAME]: tensor(table.modulators),
      [KEY_BIAS_NAME]: tensor(table.biases),
      [LORA_OUT_NAME]: tensor(out, parameters[LORA_OUT_NAME]!.shape),
    };
    // Windows that were not fitted to.
    for (const [kind, row] of [
      [0, IDENTITY_ROW],
      [3, 1],
      [6, 2],
    ] as const) {
      const window = windowsOf(kind, 50, 100 + kind);
      const options = { ...config, actionDimensions: 2, routing: {} };
      const selected = read(() => decide(fitted, window, options).selection!.modulators);
      expect(new Set(selected)).toEqual(new Set([row]));
      const modulated = read(() => decide(fitted, window, options).logits);
      const frozen = read(() => decide(fitted, window, { ...options, modulation: { kind: 'none' } }).logits);
      if (row === IDENTITY_ROW) expect(modulated).toEqual(frozen);
      else expect(modulated).not.toEqual(frozen);
    }
  });

  test('chooses the same keys as the search outside of a graph', () => {
    const random = randomSource(8);
    const [queries, keys] = [20, 6].map((rows) => Float32Array.from({ length: rows * WIDTH }, () => random.normal()));
    const unit = sphericalMeans(keys!, { width: WIDTH, count: 6, random });
    const cosines = read(() => similarities(tensor(queries!, [20, WIDTH]), tensor(unit, [6, WIDTH])));
    const best = Array.from({ length: 20 }, (_, row) => {
      const own = cosines.subarray(row * 6, row * 6 + 6);
      return own.indexOf(Math.max(...own));
    });
    expect([...nearestRows(queries!, unit, WIDTH)]).toEqual(best);
  });

  test('of one row alone changes a window as that row in a larger pool does', () => {
    const random = randomSource(2);
    const one = {
      model: SMALL_MODEL,
      modulation: { kind: 'lora', poolSize: 1, keyCount: 1, rank: 2, scaling: 2 },
    } as const;
    const parameters = initialiseParameters(one, randomSource(1));
    const row = Float32Array.from({ length: parameters[LORA_OUT_NAME]!.size }, () => 0.3 * random.normal());
    const single = { ...parameters, [LORA_OUT_NAME]: tensor(row, parameters[LORA_OUT_NAME]!.shape) };
    const twice = Object.fromEntries(
      Object.entries(single).map(([name, weight]) => {
        if (!name.startsWith('prompt.')) return [name, weight];
        const values = weight.dataSync();
        const both = new Float32Array(2 * values.length);
        both.set(values);
        both.set(values, values.length);
        return [name, tensor(both, [2, ...weight.shape.slice(1)])];
      }),
    );
    const window = windowsOf(1, 5, 3);
    const options = { actionDimensions: 3, routing: {} };
    const alone = read(() => decide(single, window, { ...one, ...options }).logits);
    const two = { model: SMALL_MODEL, modulation: { ...one.modulation, poolSize: 2, keyCount: 2 } };
    const larger = read(() => decide(twice, window, { ...two, ...options }).logits);
    larger.forEach((value, i) => expect(alone[i]).toBeCloseTo(value, 4));
  });
});
