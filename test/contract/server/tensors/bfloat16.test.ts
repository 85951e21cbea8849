import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, expect, it } from 'vitest';
import { MODEL_PRESETS, PAPER_MODULATION } from '../../../../agent/config.ts';
import { randomSource } from '../../../../agent/random.ts';
import { initialiseParameters } from '../../../../agent/weights/initialise.ts';
import { poolShapes } from '../../../../agent/weights/names.ts';
import { compileDecision } from '../../../../server/inference/decision-function.ts';
import { startBackend } from '../../../../server/tensors/backend.ts';
import { compile } from '../../../../server/tensors/compile.ts';
import { randomWindows } from '../../../support/random-windows.ts';

beforeAll(async () => {
  const backend = await startBackend({ precision: 'bfloat16', graphCache: false });
  expect(backend.precision).toBe('bfloat16');
});

it.each([true, false])('rounds the operands of large products and nothing else (XLA: %s)', (xla) => {
  const exact = 1 + 2 ** -10;
  const weight = tf.fill([128, 128], exact);
  const fn = ({ x }: { x: tf.Tensor }) => ({
    large: tf.matMul(tf.mul(x, exact), weight),
    small: tf.matMul(tf.slice(tf.mul(x, exact), [0, 0], [8, 128]), weight),
  });
  const compiled = compile(fn, { x: { shape: [64, 128], dtype: 'float32' } }, { xla });
  const { large, small } = compiled.run({ x: new Float32Array(64 * 128).fill(1) });
  // Both factors round down to 1, and every partial sum is a whole number.
  expect(new Set(large.dataSync())).toEqual(new Set([128]));
  expect(small.dataSync()[0]).toBeCloseTo(128 * exact * exact, 3);
  compiled.dispose();
});

it('takes the actions that float32 takes, and the same modulators', () => {
  const config = { model: MODEL_PRESETS.tiny, modulation: PAPER_MODULATION };
  const parameters = initialiseParameters(config, randomSource(3));
  const pool = Object.keys(poolShapes(config.model, config.modulation)).map(
    (name) => [name, parameters[name]!] as const,
  );
  const { searchGroups: _searchGroups, ...windows } = randomWindows(config.model, 64);
  const inputs = { ...windows, ...Object.fromEntries(pool) };
  const options = { sizes: [64], actionDimensions: 4 };
  const captured = compileDecision(parameters, config, { ...options, form: 'graph' }).run(inputs);
  const exact = compileDecision(parameters, config, { ...options, form: 'eager' }).run(inputs);
  expect(captured['modulators']!.dataSync()).toEqual(exact['modulators']!.dataSync());
  const expected = exact['actionTokens']!.dataSync();
  const equal = captured['actionTokens']!.dataSync().filter((token, i) => token === expected[i]);
  expect(equal.length / expected.length).toBeGreaterThanOrEqual(0.99);
});
