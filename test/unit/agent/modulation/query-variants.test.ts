import { beforeAll, describe, expect, test } from 'vitest';
import { checkModulationConfig, QUERY_VARIANTS, type ModulationConfig } from '../../../../agent/config.ts';
import { decide, decideByFullForward } from '../../../../agent/decision-transformer.ts';
import { poolQuery } from '../../../../agent/modulation/query.ts';
import { tensor, type Tensor } from '../../../../agent/ops.ts';
import { randomSource } from '../../../../agent/random.ts';
import { embedWindow } from '../../../../agent/transformer/embedding.ts';
import { initialiseParameters } from '../../../../agent/weights/initialise.ts';
import { QUERY_SCALE_NAME, QUERY_SHIFT_NAME } from '../../../../agent/weights/names.ts';
import { startBackend, TEST_BACKENDS } from '../support/backend.ts';
import { randomBatch, SMALL_MODEL } from '../support/random-batch.ts';

const model = SMALL_MODEL;
const LORA = { kind: 'lora', rank: 2, scaling: 2, poolSize: 5, keyCount: 5 } as const;
const configOf = (query: (typeof QUERY_VARIANTS)[number]) => ({
  model,
  modulation: { ...LORA, query } as ModulationConfig,
});
const windows = () => randomBatch(model, 3, randomSource(4));
const values = (x: Tensor): number[] => [...x.dataSync()];

function queryOf(query: (typeof QUERY_VARIANTS)[number] | undefined, changes: Record<string, Tensor> = {}): number[] {
  const modulation = query === undefined ? LORA : { ...LORA, query };
  const parameters = { ...initialiseParameters({ model, modulation }, randomSource(1)), ...changes };
  const batch = windows();
  const tokens = embedWindow(parameters, batch, model);
  return values(poolQuery(parameters, { tokens, stepMask: batch.stepMask }, { model, query }));
}

describe.each(TEST_BACKENDS)('what asks a pool, on backend %s', (backend) => {
  beforeAll(() => startBackend(backend));

  test('standardised, is the mean of the states less the table’s mean by its deviation', () => {
    const mean = queryOf(undefined);
    expect(queryOf('standardised')).toEqual(mean);
    const shift = tensor(Float32Array.from({ length: model.width }, (_, i) => i / 10));
    const scale = tensor(new Float32Array(model.width).fill(2));
    const found = queryOf('standardised', { [QUERY_SHIFT_NAME]: shift, [QUERY_SCALE_NAME]: scale });
    found.forEach((value, i) => expect(value).toBeCloseTo(2 * (mean[i]! - (i % model.width) / 10), 4));
  });

  test('differs by variant', () => {
    const all = [queryOf(undefined), queryOf('last-state'), queryOf('features')];
    expect(new Set(all.map((each) => each.map((value) => value.toFixed(4)).join())).size).toBe(3);
  });

  test.each(QUERY_VARIANTS)('as %s leads both ways of deciding to the same actions and keys', (query) => {
    const config = configOf(query);
    const parameters = initialiseParameters(config, randomSource(1));
    const options = { ...config, actionDimensions: 2, routing: {} };
    const batch = windows();
    const [fast, slow] = [decide(parameters, batch, options), decideByFullForward(parameters, batch, options)];
    expect(values(fast.actionTokens)).toEqual(values(slow.actionTokens));
    expect(values(fast.selection!.modulators)).toEqual(values(slow.selection!.modulators));
    expect(values(fast.selection!.keys)).toEqual(values(fast.selection!.asked));
  });

  test('may leave windows to the identity only where a table has one', () => {
    const unknown = { ...LORA, unknownBelow: 0.5 } as const;
    expect(() => checkModulationConfig(unknown)).toThrow('keyTable');
    expect(() => checkModulationConfig({ ...unknown, keyTable: true })).not.toThrow();
    expect(() => checkModulationConfig({ ...unknown, keyTable: true, unknownBelow: 1.5 })).toThrow('unknownBelow');
    expect(() => checkModulationConfig({ ...LORA, voteSteps: 0 })).toThrow('voteSteps');
  });
});
