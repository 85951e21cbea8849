import { beforeAll, describe, expect, it } from 'vitest';
import { checkModulationConfig } from '../../../../agent/config.ts';
import { decide } from '../../../../agent/decision-transformer.ts';
import { trainableNames } from '../../../../agent/learning/trainable.ts';
import { layoutBias } from '../../../../agent/modulation/layout-bias.ts';
import { addKeys, emptyKeyTable, IDENTITY_ROW } from '../../../../agent/modulation/key-table.ts';
import { tensor, tidy, type Tensor } from '../../../../agent/ops.ts';
import { randomSource } from '../../../../agent/random.ts';
import { initialiseParameters } from '../../../../agent/weights/initialise.ts';
import {
  KEY_BIAS_NAME,
  KEY_LAYOUT_NAME,
  KEY_MODULATOR_NAME,
  KEY_NAME,
  type ParameterRecord,
} from '../../../../agent/weights/names.ts';
import { startBackend, TEST_BACKENDS } from '../support/backend.ts';
import { randomBatch, SMALL_MODEL } from '../support/random-batch.ts';

const LAYOUTS = {
  kind: 'lora',
  poolSize: 3,
  keyCount: 9,
  keyTable: true,
  byLayout: true,
  rank: 2,
  scaling: 2,
} as const;
const config = { model: SMALL_MODEL, modulation: LAYOUTS };
const [WINDOWS, UNKNOWN] = [12, -1];
const read = (x: Tensor): number[] => Array.from(x.dataSync());

/** Two identity keys and three keys of row 1 in layout 0, three of row 2 in layout 1, one not in use. */
function pool(): ParameterRecord {
  const drawn = initialiseParameters(config, randomSource(1));
  const { width } = SMALL_MODEL;
  const table = { ...emptyKeyTable(LAYOUTS.keyCount, width), layouts: new Float32Array(LAYOUTS.keyCount) };
  const keys = Float32Array.from(read(drawn[KEY_NAME]!));
  addKeys(table, keys.subarray(0, 2 * width), { modulator: IDENTITY_ROW, layout: 0 });
  addKeys(table, keys.subarray(2 * width, 5 * width), { modulator: 1, layout: 0 });
  addKeys(table, keys.subarray(5 * width, 8 * width), { modulator: 2, layout: 1 });
  return {
    ...drawn,
    [KEY_NAME]: tensor(table.keys, [LAYOUTS.keyCount, width]),
    [KEY_MODULATOR_NAME]: tensor(table.modulators),
    [KEY_BIAS_NAME]: tensor(table.biases),
    [KEY_LAYOUT_NAME]: tensor(table.layouts),
  };
}

function selectedFor(groups: readonly number[]): { keys: number[]; rows: number[] } {
  return tidy(() => {
    const searchGroups = tensor([...groups], [groups.length], 'int32');
    const batch = { ...randomBatch(SMALL_MODEL, groups.length, randomSource(2)), searchGroups };
    const { selection } = decide(pool(), batch, { ...config, actionDimensions: 2, routing: {} });
    return { keys: read(selection!.keys), rows: read(selection!.modulators) };
  });
}

describe.each(TEST_BACKENDS)('keys of one layout on backend %s', (backend) => {
  beforeAll(() => startBackend(backend));

  it('are left out alike for windows of every other', () => {
    const biases = tidy(() => read(layoutBias(tensor([0, 2], [2], 'int32'), tensor([0, 2, 7]))));
    expect(biases.map((bias) => Math.abs(bias))).toEqual([0, 1e9, 1e9, 1e9, 0, 1e9]);
  });

  it('serve windows of that layout and no others, both in one batch', () => {
    const groups = Array.from({ length: WINDOWS }, (_, window) => window % 2);
    const { keys, rows } = selectedFor(groups);
    rows.forEach((row, window) => expect(groups[window] === 1 ? [2] : [0, 1]).toContain(row));
    // Similarity still decides among them.
    expect(new Set(keys.filter((_, window) => groups[window] === 0)).size).toBeGreaterThan(1);
    expect(new Set(keys.filter((_, window) => groups[window] === 1)).size).toBeGreaterThan(1);
  });

  it('leave a layout that no key has to the frozen model', () => {
    const { rows } = selectedFor([UNKNOWN, 5, UNKNOWN, 5]);
    expect(rows).toEqual([IDENTITY_ROW, IDENTITY_ROW, IDENTITY_ROW, IDENTITY_ROW]);
  });

  it('are asked for by windows that say their layout', () => {
    tidy(() => {
      const batch = randomBatch(SMALL_MODEL, 2, randomSource(2));
      const deciding = () => decide(pool(), batch, { ...config, actionDimensions: 2, routing: {} });
      expect(deciding).toThrow('no searchGroups for a pool with keys by layout');
    });
  });
});

describe('a pool with keys by layout', () => {
  it('never learns where they belong', () => {
    expect(trainableNames('modulators', config)).not.toContain(KEY_LAYOUT_NAME);
  });

  it('needs a table, and is not searched by the true task as well', () => {
    const { keyTable: _table, ...without } = { ...LAYOUTS, keyCount: 3 };
    expect(() => checkModulationConfig(LAYOUTS)).not.toThrow();
    expect(() => checkModulationConfig(without)).toThrow('modulation.byLayout without a modulation.keyTable');
    expect(() => checkModulationConfig({ ...LAYOUTS, taskGroups: 3 })).toThrow('beside modulation.taskGroups');
  });
});
