import { beforeAll, describe, expect, it } from 'vitest';
import type { ModulationConfig } from '../../../../agent/config.ts';
import { adamwStep, biasCorrections, type AdamwState } from '../../../../agent/learning/adamw.ts';
import { lossAndGradients } from '../../../../agent/learning/gradients.ts';
import { decays, trainableNames } from '../../../../agent/learning/trainable.ts';
import { dispose, memory, scalar, tidy, zerosLike } from '../../../../agent/ops.ts';
import { randomSource } from '../../../../agent/random.ts';
import { initialiseParameters } from '../../../../agent/weights/initialise.ts';
import { startBackend, TEST_BACKENDS } from '../support/backend.ts';
import { randomBatch, SMALL_MODEL } from '../support/random-batch.ts';

const LORA: ModulationConfig = { kind: 'lora', poolSize: 4, keyCount: 4, rank: 2, scaling: 2 };

describe.each(TEST_BACKENDS)('training on backend %s', (backend) => {
  beforeAll(() => startBackend(backend));

  it.each([
    { set: 'model', modulation: { kind: 'none' }, atLeast: 0.3 },
    { set: 'pool', modulation: LORA, atLeast: 0.01 },
    // Factors near 1 change little in a model of small random weights.
    { set: 'pool', modulation: { kind: 'ia3', poolSize: 4, keyCount: 4 }, atLeast: 0.0001 },
  ] as const)('lowers the loss of one batch with $set, $modulation.kind', ({ set, modulation, atLeast }) => {
    const config = { model: SMALL_MODEL, modulation };
    const parameters = initialiseParameters(config, randomSource(1));
    const batch = randomBatch(SMALL_MODEL, 3, randomSource(2));
    const names = trainableNames(set, config);
    const options = { ...config, pullWeight: 0.5, routing: {}, trainableNames: names };
    let state: AdamwState = {
      parameters: names.map((name) => parameters[name]!),
      firstMoments: names.map((name) => zerosLike(parameters[name]!)),
      secondMoments: names.map((name) => zerosLike(parameters[name]!)),
    };
    const losses: number[] = [];
    for (let update = 1; update <= 8; update++) {
      const before = state;
      state = tidy(() => {
        const current = { ...parameters, ...Object.fromEntries(names.map((name, i) => [name, state.parameters[i]!])) };
        const { crossEntropy, gradients } = lossAndGradients(current, batch, options);
        losses.push(crossEntropy.dataSync()[0]!);
        const [first, second] = biasCorrections(update);
        const scalars = { learningRate: scalar(0.03), biasCorrection1: scalar(first), biasCorrection2: scalar(second) };
        const next = adamwStep(before, gradients, { scalars, decayed: names.map(decays) });
        return {
          parameters: [...next.parameters],
          firstMoments: [...next.firstMoments],
          secondMoments: [...next.secondMoments],
        };
      });
      dispose([...before.parameters, ...before.firstMoments, ...before.secondMoments]);
    }
    expect(losses.at(-1)).toBeLessThan(losses[0]! - atLeast);
    expect(losses.every(Number.isFinite)).toBe(true);
  });

  it.each([
    ['seen', SMALL_MODEL],
    ['hidden', { ...SMALL_MODEL, pastActions: 'hidden' }],
  ] as const)(
    'computes nothing for dimensions that no task has, past actions %s, and loses nothing by it',
    (_, model) => {
      const config = { model, modulation: LORA };
      const parameters = initialiseParameters(config, randomSource(1));
      // Of its three dimensions two are real.
      const batch = randomBatch(model, 3, randomSource(2));
      const options = { ...config, pullWeight: 0.5, routing: {}, trainableNames: trainableNames('model', config) };
      tidy(() => {
        const all = lossAndGradients(parameters, batch, options);
        const real = lossAndGradients(parameters, batch, { ...options, actionDimensions: 2 });
        expect(real.loss.dataSync()[0]).toBeCloseTo(all.loss.dataSync()[0]!, 6);
        all.gradients.forEach((gradient, i) => {
          const expected = gradient.dataSync();
          const apart = real.gradients[i]!.dataSync<'float32'>().reduce(
            (most, x, k) => Math.max(most, Math.abs(x - expected[k]!)),
            0,
          );
          expect(apart, options.trainableNames[i]).toBeLessThan(1e-6);
        });
        const fewer = lossAndGradients(parameters, batch, { ...options, actionDimensions: 1 });
        expect(Math.abs(fewer.loss.dataSync()[0]! - all.loss.dataSync()[0]!)).toBeGreaterThan(1e-4);
      });
    },
  );

  it('leaves no tensors behind but those it returns', () => {
    const config = { model: SMALL_MODEL, modulation: LORA };
    const parameters = initialiseParameters(config, randomSource(1));
    const batch = randomBatch(SMALL_MODEL, 4, randomSource(2));
    const names = trainableNames('pool', config);
    const options = { ...config, pullWeight: 0.5, routing: {}, trainableNames: names };
    const before = memory().numTensors;
    const returned = tidy(() => {
      const { loss, crossEntropy, similarity, gradients } = lossAndGradients(parameters, batch, options);
      return [loss, crossEntropy, similarity, ...gradients];
    });
    dispose(returned);
    expect(memory().numTensors).toBe(before);
  });
});
