import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, it } from 'vitest';
import { ADAM } from '../../../../agent/experts/adam.ts';
import { groupLayout, groupSize } from '../../../../agent/experts/expert-shape.ts';
import { initialVector } from '../../../../agent/experts/initialise-expert.ts';
import {
  actorLoss,
  criticLoss,
  criticTargets,
  criticValues,
  type ReplayBatch,
} from '../../../../agent/experts/losses.ts';
import { sacUpdate, type SacSettings, type SacState } from '../../../../agent/experts/sac-update.ts';
import { sampleActions } from '../../../../agent/experts/squashed-gaussian.ts';
import { piecesOf } from '../../../../agent/experts/weight-vector.ts';
import { randomSource } from '../../../../agent/random.ts';
import { startBackend } from '../../../../server/tensors/backend.ts';

const shape = { observationSize: 3, actionSize: 2, hidden: [5, 4] };
const settings: SacSettings = {
  ...{ discount: 0.9, targetRate: 0.1, learningRate: 1e-2, temperatureLearningRate: 1e-2, targetEntropy: -2 },
};
const BATCH = 6;
const random = randomSource(11);
const normal = (...size: number[]) =>
  tf.tensor(
    Float32Array.from({ length: size.reduce((a, b) => a * b, 1) }, () => random.normal()),
    size,
  );

let batch: ReplayBatch;
let state: SacState;

beforeAll(async () => {
  await startBackend({ backend: 'javascript' });
  batch = {
    ...{ observations: normal(BATCH, 3), actions: tf.tanh(normal(BATCH, 2)), rewards: normal(BATCH) },
    ...{ nextObservations: normal(BATCH, 3), noise: normal(BATCH, 2), nextNoise: normal(BATCH, 2) },
  };
  const vector = (group: 'actor' | 'critics' | 'temperature', seed: number) => {
    const values = tf.tensor1d(initialVector(group, shape, randomSource(seed)));
    return { values, first: tf.zerosLike(values), second: tf.zerosLike(values) };
  };
  state = {
    ...{ actor: vector('actor', 1), critics: vector('critics', 2), temperature: vector('temperature', 3) },
    targets: vector('critics', 4).values,
  };
});

const actorPieces = () => piecesOf(state.actor.values, groupLayout('actor', shape));
const updated = () =>
  sacUpdate(state, batch, {
    ...{ shape, settings },
    corrections: { biasCorrection1: tf.scalar(1 - ADAM.beta1), biasCorrection2: tf.scalar(1 - ADAM.beta2) },
  });

/** Central differences of a scalar by each number of a vector. */
function slopes(vector: tf.Tensor, lossOf: (vector: tf.Tensor) => tf.Tensor): number[] {
  const values = vector.dataSync();
  const at = (index: number, shift: number) =>
    lossOf(tf.tensor1d(Float32Array.from(values, (value, i) => (i === index ? value + shift : value)))).dataSync()[0]!;
  return Array.from(values, (_, index) => (at(index, 1e-2) - at(index, -1e-2)) / 2e-2);
}

/** With zero moments the first moment after one step is a tenth of the gradient. */
const gradientOf = (first: tf.Tensor) => Array.from(first.dataSync(), (value) => value / (1 - ADAM.beta1));

function expectClose(actual: readonly number[], expected: readonly number[], tolerance: number): void {
  expect(actual).toHaveLength(expected.length);
  const worst = Math.max(...actual.map((value, i) => Math.abs(value - expected[i]!)));
  expect(worst).toBeLessThan(tolerance);
  expect(Math.max(...expected.map(Math.abs))).toBeGreaterThan(10 * tolerance);
}

describe('the squashed Gaussian', () => {
  it('says the density of its actions, as counted by samples of one dimension', () => {
    const one = { observationSize: 1, actionSize: 1, hidden: [2] };
    const pieces = piecesOf(tf.tensor1d(initialVector('actor', one, randomSource(5))), groupLayout('actor', one));
    const count = 40_000;
    const noise = tf.tensor2d(
      Float32Array.from({ length: count }, () => random.normal()),
      [count, 1],
    );
    const { actions, logProbabilities } = sampleActions(pieces, tf.zeros([count, 1]), noise);
    const [drawn, logs] = [actions.dataSync(), logProbabilities.dataSync()];
    for (const [low, high] of [
      [-0.6, -0.4],
      [0, 0.2],
      [0.5, 0.7],
    ] as const) {
      const inside = [...drawn.keys()].filter((i) => drawn[i]! >= low && drawn[i]! < high);
      const density = inside.reduce((sum, i) => sum + Math.exp(logs[i]!), 0) / inside.length;
      expect(inside.length / count / (high - low) / density).toBeCloseTo(1, 1);
    }
  });

  it('stays finite where tanh has nothing left to say', () => {
    const { actions, logProbabilities } = sampleActions(actorPieces(), tf.fill([1, 3], 1e3), tf.fill([1, 2], 30));
    expect([...actions.dataSync(), ...logProbabilities.dataSync()].every(Number.isFinite)).toBe(true);
  });

  it('without noise is the tanh of its mean, the same for every call', () => {
    const at = () => [...sampleActions(actorPieces(), batch.observations, tf.zeros([BATCH, 2])).actions.dataSync()];
    expect(at()).toEqual(at());
    expect(at().every((action) => Math.abs(action) < 1)).toBe(true);
  });
});

describe('one update', () => {
  const logTemperature = () => tf.reshape(state.temperature.values, []);
  const criticPieces = (vector: tf.Tensor) => piecesOf(vector, groupLayout('critics', shape));
  const wanted = () =>
    criticTargets(
      { actor: actorPieces(), targets: criticPieces(state.targets), logTemperature: logTemperature() },
      batch,
      settings.discount,
    );

  it('moves the critics along the slope of their loss', () => {
    const targets = wanted();
    const expected = slopes(state.critics.values, (vector) => criticLoss(criticPieces(vector), batch, targets));
    expectClose(gradientOf(updated().state.critics.first), expected, 5e-3);
  });

  it('moves the actor along the slope of its loss against the new critics', () => {
    const next = updated().state;
    const critics = criticPieces(next.critics.values);
    const expected = slopes(state.actor.values, (vector) => {
      const actor = piecesOf(vector, groupLayout('actor', shape));
      return actorLoss({ actor, critics, logTemperature: logTemperature() }, batch).loss;
    });
    expectClose(gradientOf(next.actor.first), expected, 5e-3);
  });

  it('raises the temperature where the policy is more certain than it should be, and lowers it otherwise', () => {
    const { state: next, figures } = updated();
    const entropy = figures.dataSync()[3]!;
    const moved = next.temperature.values.dataSync()[0]! - state.temperature.values.dataSync()[0]!;
    expect(Math.sign(moved)).toBe(Math.sign(settings.targetEntropy - entropy));
    // Adam's first step is the learning rate.
    expect(Math.abs(moved)).toBeCloseTo(settings.temperatureLearningRate, 4);
  });

  it('lets the target critics follow by their rate', () => {
    const next = updated().state;
    const [before, after, critics] = [state.targets, next.targets, next.critics.values].map((each) => each.dataSync());
    before!.forEach((value, i) => expect(after![i]).toBeCloseTo(0.9 * value + 0.1 * critics![i]!, 5));
  });

  it('wants the reward and the discounted value by the more doubtful of the target critics', () => {
    const next = sampleActions(actorPieces(), batch.nextObservations, batch.nextNoise);
    const values = criticValues(criticPieces(state.targets), batch.nextObservations, next.actions).map((each) =>
      each.dataSync(),
    );
    const [rewards, logs, actual] = [batch.rewards, next.logProbabilities, wanted()].map((each) => each.dataSync());
    rewards!.forEach((reward, i) => {
      const soft = Math.min(values[0]![i]!, values[1]![i]!) - 0.1 * logs![i]!;
      expect(actual![i]).toBeCloseTo(reward + 0.9 * soft, 4);
    });
  });
});

describe('weights', () => {
  it('lie one behind the other in their vector', () => {
    const layout = groupLayout('critics', shape);
    expect(layout.at(-1)!.offset + layout.at(-1)!.size).toBe(groupSize('critics', shape));
    expect(layout[6]).toMatchObject({
      name: 'critic2.0.weight',
      shape: [5, 5],
      offset: groupSize('critics', shape) / 2,
    });
    expect(groupSize('actor', shape)).toBe(3 * 5 + 5 + 5 * 4 + 4 + 4 * 4 + 4);
  });

  it('of sizes that make no network are refused', () => {
    expect(() => groupSize('actor', { ...shape, hidden: [] })).toThrow(
      expect.objectContaining({ code: 'L2M_CONFIG_INVALID' }) as Error,
    );
  });
});
