import { beforeAll, describe, expect, it } from 'vitest';
import type { ModelConfig } from '../../../../agent/config.ts';
import { mul, sumAll, tensor, tidy, valueAndGrads, type Scalar, type Tensor } from '../../../../agent/ops.ts';
import { randomSource } from '../../../../agent/random.ts';
import { embedWindow } from '../../../../agent/transformer/embedding.ts';
import { initialiseParameters } from '../../../../agent/weights/initialise.ts';
import { WAVES_NAME, type ParameterRecord } from '../../../../agent/weights/names.ts';
import { startBackend, TEST_BACKENDS } from '../support/backend.ts';
import { randomBatch, SMALL_MODEL } from '../support/random-batch.ts';

const FREQUENCIES = [2, 7];
const waving = { ...SMALL_MODEL, observationWaves: FREQUENCIES };
const { width, stateSize } = SMALL_MODEL;
const columns = 2 * FREQUENCIES.length * stateSize;
const NORM_EPSILON = 1e-5;

describe.each(TEST_BACKENDS)('observation waves on backend %s', (backend) => {
  beforeAll(() => startBackend(backend));

  const random = randomSource(3);
  const drawn = Float32Array.from({ length: width * columns }, () => 0.1 * random.normal());
  const begin = (): Record<string, Tensor> =>
    initialiseParameters({ model: waving, modulation: { kind: 'none' } }, randomSource(1));
  const withWaves = (parameters: ParameterRecord, weights = drawn): ParameterRecord => ({
    ...parameters,
    [WAVES_NAME]: tensor(weights, [width, columns]),
  });
  const embedded = (parameters: ParameterRecord, model: ModelConfig = waving): Float32Array =>
    embedWindow(parameters, randomBatch(SMALL_MODEL, 2, randomSource(2)), model).dataSync<'float32'>();

  it('are nothing before the first update', () => {
    tidy(() => {
      expect(embedded(begin())).toEqual(embedded(begin(), SMALL_MODEL));
      expect(embedded(withWaves(begin()))).not.toEqual(embedded(begin()));
    });
  });

  it('are sines, then cosines less one, of all values at each frequency', () => {
    tidy(() => {
      const parameters = withWaves({
        ...begin(),
        'embed_state.weight': tensor(new Float32Array(width * stateSize), [width, stateSize]),
        'embed_state.bias': tensor(new Float32Array(width), [width]),
      });
      const window = randomBatch(SMALL_MODEL, 2, randomSource(2));
      const codes = parameters['embed_timestep.weight']!.dataSync<'float32'>();
      const timesteps = window.timesteps.dataSync();
      const states = window.states.dataSync<'float32'>();
      const tokens = embedWindow(parameters, window, waving);
      const perStep = tokens.shape[2]!;
      timesteps.forEach((timestep, row) => {
        const state = states.subarray(row * stateSize, (row + 1) * stateSize);
        const sums = Array.from({ length: width }, (_, unit) =>
          [...state].reduce(
            (sum, x, i) => {
              const parts = FREQUENCIES.map((frequency, f) => {
                const at = unit * columns + 2 * f * stateSize + i;
                return drawn[at]! * Math.sin(frequency * x) + drawn[at + stateSize]! * (Math.cos(frequency * x) - 1);
              });
              return parts.reduce((all, part) => all + part, sum);
            },
            codes[timestep * width + unit]!,
          ),
        );
        const mean = sums.reduce((all, x) => all + x, 0) / width;
        const variance = sums.reduce((all, x) => all + (x - mean) ** 2, 0) / width;
        const stateToken = tokens.dataSync<'float32'>().subarray(row * perStep * width, (row * perStep + 1) * width);
        sums.forEach((sum, unit) => {
          expect(stateToken[unit]).toBeCloseTo((sum - mean) / Math.sqrt(variance + NORM_EPSILON), 4);
        });
      });
    });
  });

  it('learn: their gradient is that of differences', () => {
    tidy(() => {
      const parameters = begin();
      const window = randomBatch(SMALL_MODEL, 2, randomSource(2));
      const size = embedded(parameters).length;
      const factors = tensor(
        Float32Array.from({ length: size }, () => random.normal()),
        embedWindow(parameters, window, waving).shape,
      );
      const f = (waves: Tensor): Scalar =>
        sumAll(mul(embedWindow({ ...parameters, [WAVES_NAME]: waves }, window, waving), factors)) as Scalar;
      const gradient = valueAndGrads(f)([tensor(drawn, [width, columns])]).grads[0]!.dataSync<'float32'>();
      const step = 1 / 64;
      for (const at of [0, stateSize + 1, columns - 1, 3 * columns + 2]) {
        const value = (shift: number): number =>
          f(tensor(drawn.with(at, drawn[at]! + shift), [width, columns])).dataSync()[0]!;
        const slope = (8 * (value(step) - value(-step)) - (value(2 * step) - value(-2 * step))) / (12 * step);
        expect(Math.abs(slope - gradient[at]!)).toBeLessThan(5e-3);
      }
    });
  });
});
