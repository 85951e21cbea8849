import { tensor } from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, it } from 'vitest';
import { decide, decideByFullForward } from '../../../agent/decision-transformer.ts';
import { gumbelNoise } from '../../../agent/drawn-actions.ts';
import { randomSource } from '../../../agent/random.ts';
import { initialiseParameters } from '../../../agent/weights/initialise.ts';
import { startBackend } from '../../../server/tensors/backend.ts';
import { randomWindows } from '../../support/random-windows.ts';
import { MODEL_PRESETS } from '../../../agent/config.ts';

const LOGITS = [0, 1, 3] as const;
const DRAWS = 20_000;

/** How often each bin is the likeliest one with chance added. */
function frequencies(temperature: number): number[] {
  const random = randomSource(3);
  const counts = LOGITS.map(() => 0);
  for (let draw = 0; draw < DRAWS; draw++) {
    const noise = gumbelNoise(random, LOGITS.length, temperature);
    const scores = LOGITS.map((logit, bin) => logit + (noise[bin] ?? 0));
    counts[scores.indexOf(Math.max(...scores))]! += 1;
  }
  return counts.map((count) => count / DRAWS);
}

function softmax(temperature: number): number[] {
  const powers = LOGITS.map((logit) => Math.exp(logit / temperature));
  return powers.map((power) => power / powers.reduce((a, b) => a + b, 0));
}

describe('Gumbel noise', () => {
  it.each([0.5, 1, 2])('draws each bin as often as softmax says at temperature %f', (temperature) => {
    const found = frequencies(temperature);
    // Four standard deviations of a share of 20,000 draws are at most 0.014.
    softmax(temperature).forEach((share, bin) => expect(Math.abs(share - found[bin]!)).toBeLessThan(0.014));
  });

  it('is finite, and a function of its source', () => {
    const noise = gumbelNoise(randomSource(1), 10_000, 1);
    expect(noise.every(Number.isFinite)).toBe(true);
    expect(gumbelNoise(randomSource(1), 10_000, 1)).toEqual(noise);
    expect(gumbelNoise(randomSource(2), 10_000, 1)).not.toEqual(noise);
  });
});

describe('decisions with chance', () => {
  const model = { ...MODEL_PRESETS.tiny, width: 32, blocks: 2 };
  const BATCH = 3;
  const SIZE = model.actionSize * model.bins;
  const options = { model, modulation: { kind: 'none' }, actionDimensions: 4, routing: {} } as const;

  beforeAll(() => startBackend({ backend: 'javascript' }));

  const decided = (chance: Float32Array | undefined, how: typeof decide) => {
    const parameters = initialiseParameters({ model, modulation: options.modulation }, randomSource(5));
    const { states, actionTokens, returnsToGo, rewards, timesteps, stepMask } = randomWindows(model, BATCH);
    const shape = [BATCH, model.context];
    const window = {
      states: tensor(states, [...shape, model.stateSize]),
      actionTokens: tensor(actionTokens, [...shape, model.actionSize], 'int32'),
      returnsToGo: tensor(returnsToGo, shape),
      rewards: tensor(rewards, shape),
      timesteps: tensor(timesteps, shape, 'int32'),
      stepMask: tensor(stepMask, shape),
      ...(chance === undefined ? {} : { chance: tensor(chance, [BATCH, model.actionSize, model.bins]) }),
    };
    return [...how(parameters, window, options).actionTokens.dataSync()];
  };
  const random = randomSource(9);
  const drawn = Float32Array.from([0, 1, 2].flatMap(() => [...gumbelNoise(random, SIZE, 1)]));

  it('are the likeliest ones where chance is zero, and others where it is not', () => {
    const likeliest = decided(undefined, decide);
    expect(decided(new Float32Array(BATCH * SIZE), decide)).toEqual(likeliest);
    expect(decided(drawn, decide)).not.toEqual(likeliest);
  });

  it('are those of a full forward for every dimension', () => {
    expect(decided(drawn, decide)).toEqual(decided(drawn, decideByFullForward));
  });

  it('go wherever chance is large enough, each dimension by its own', () => {
    const chance = new Float32Array(BATCH * SIZE);
    for (let row = 0; row < BATCH; row++) {
      for (let dimension = 0; dimension < model.actionSize; dimension++) {
        chance[row * SIZE + dimension * model.bins + 10 * row + dimension] = 1000;
      }
    }
    expect(decided(chance, decide)).toEqual([0, 1, 2, 3, 10, 11, 12, 13, 20, 21, 22, 23]);
    expect(() => decided(chance.slice(1), decide)).toThrow();
  });
});
