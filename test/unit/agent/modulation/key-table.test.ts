import { beforeAll, describe, expect, it } from 'vitest';
import { checkModulationConfig } from '../../../../agent/config.ts';
import { decide } from '../../../../agent/decision-transformer.ts';
import { lossAndGradients } from '../../../../agent/learning/gradients.ts';
import { trainableNames } from '../../../../agent/learning/trainable.ts';
import { add, mul, tensor, tidy, type Tensor } from '../../../../agent/ops.ts';
import { randomSource } from '../../../../agent/random.ts';
import { initialiseParameters } from '../../../../agent/weights/initialise.ts';
import {
  KEY_BIAS_NAME,
  KEY_MODULATOR_NAME,
  LORA_OUT_NAME,
  type ParameterRecord,
} from '../../../../agent/weights/names.ts';
import { startBackend, TEST_BACKENDS } from '../support/backend.ts';
import { randomBatch, SMALL_MODEL } from '../support/random-batch.ts';

/** Six keys of two modulators, the second of which changes something. */
const TABLE = { kind: 'lora', poolSize: 2, keyCount: 6, keyTable: true, rank: 2, scaling: 2 } as const;
const config = { model: SMALL_MODEL, modulation: TABLE };
const OUT = -1e9;
const read = (x: Tensor): number[] => Array.from(x.dataSync());

function pool(modulators: readonly number[], biases: readonly number[]): ParameterRecord {
  const drawn = initialiseParameters(config, randomSource(1));
  const out = drawn[LORA_OUT_NAME]!;
  const second = tensor([0, 1], [2, 1, 1, 1, 1]);
  return {
    ...drawn,
    [LORA_OUT_NAME]: mul(add(out, 0.5), second),
    [KEY_MODULATOR_NAME]: tensor([...modulators]),
    [KEY_BIAS_NAME]: tensor([...biases]),
  };
}

describe.each(TEST_BACKENDS)('a pool whose keys share modulators, on backend %s', (backend) => {
  beforeAll(() => startBackend(backend));

  it('gives a window the modulator that its key points to', () => {
    tidy(() => {
      const batch = randomBatch(SMALL_MODEL, 8, randomSource(2));
      const table = [1, 0, 1, 0, 0, 1];
      const { selection } = decide(pool(table, [0, 0, 0, 0, 0, 0]), batch, {
        ...config,
        actionDimensions: 2,
        routing: {},
      });
      const keys = read(selection!.keys);
      expect(read(selection!.modulators)).toEqual(keys.map((key) => table[key]));
      expect(new Set(keys).size).toBeGreaterThan(1);
    });
  });

  it('decides with keys of the identity alone as the frozen model does', () => {
    tidy(() => {
      const batch = randomBatch(SMALL_MODEL, 8, randomSource(2));
      const logitsOf = (parameters: ParameterRecord, modulation: typeof TABLE | { readonly kind: 'none' }): number[] =>
        read(decide(parameters, batch, { model: SMALL_MODEL, modulation, actionDimensions: 2, routing: {} }).logits);
      const frozen = logitsOf(pool([0, 0, 0, 0, 0, 0], [0, 0, 0, 0, 0, 0]), { kind: 'none' });
      expect(logitsOf(pool([0, 0, 0, 1, 1, 1], [0, 0, 0, OUT, OUT, OUT]), TABLE)).toEqual(frozen);
      expect(logitsOf(pool([0, 0, 0, 1, 1, 1], [OUT, OUT, OUT, 0, 0, 0]), TABLE)).not.toEqual(frozen);
    });
  });

  it('learns only the modulators that its keys point to, and never the table', () => {
    tidy(() => {
      const batch = randomBatch(SMALL_MODEL, 8, randomSource(2));
      const names = trainableNames('modulators', config);
      expect(names).not.toContain(KEY_MODULATOR_NAME);
      expect(names).not.toContain(KEY_BIAS_NAME);
      const options = { ...config, pullWeight: 0, routing: {}, trainableNames: names };
      const parameters = pool([0, 0, 0, 1, 1, 1], [OUT, OUT, OUT, 0, OUT, 0]);
      const { gradients, selectedKeys } = lossAndGradients(parameters, batch, options);
      expect(read(selectedKeys!).filter((key) => key !== 3 && key !== 5)).toEqual([]);
      for (const gradient of gradients) {
        const values = read(gradient);
        const half = values.length / 2;
        expect(values.slice(0, half).every((value) => value === 0)).toBe(true);
        expect(values.slice(half).some((value) => value !== 0)).toBe(true);
      }
    });
  });

  it('needs the table where keys and modulators differ in number', () => {
    expect(() => checkModulationConfig(TABLE)).not.toThrow();
    const { keyTable: _keyTable, ...without } = TABLE;
    expect(() => checkModulationConfig(without)).toThrow('without a modulation.keyTable');
  });
});
