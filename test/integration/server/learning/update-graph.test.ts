import { beforeAll, describe, expect, test } from 'vitest';
import { memory } from '@tensorflow/tfjs-core';
import { randomSource } from '../../../../agent/random.ts';
import { initialArrays } from '../../../../agent/weights/initialise.ts';
import { allocateBatch, type BatchArrays } from '../../../../server/learning/batch-arrays.ts';
import { compileLoss } from '../../../../server/learning/loss-graph.ts';
import { TrainingTensors } from '../../../../server/learning/training-tensors.ts';
import { compileUpdate, type UpdateGraphOptions } from '../../../../server/learning/update-graph.ts';
import { startBackend } from '../../../../server/tensors/backend.ts';

const model = {
  width: 16,
  blocks: 2,
  heads: 2,
  context: 3,
  stateSize: 10,
  actionSize: 2,
  bins: 8,
  maximumTimestep: 20,
};

beforeAll(() => startBackend({ backend: 'auto', threadCount: 1, xla: false }));

/** Windows without padding, so that every one of them has the same weight. */
function randomBatch(size: number, seed: number): BatchArrays {
  const random = randomSource(seed);
  const batch = allocateBatch(size, model);
  for (const part of ['states', 'returnsToGo', 'rewards'] as const)
    batch[part].forEach((_, i) => (batch[part][i] = random.normal()));
  for (const part of ['actionTokens', 'targetTokens'] as const)
    batch[part].forEach((_, i) => (batch[part][i] = random.below(8)));
  batch.timesteps.forEach((_, i) => (batch.timesteps[i] = i % 20));
  batch.stepMask.fill(1);
  batch.actionMask.fill(1);
  return batch;
}

function joined(one: BatchArrays, other: BatchArrays): BatchArrays {
  const both = allocateBatch(one.size + other.size, model);
  for (const part of [
    'states',
    'actionTokens',
    'targetTokens',
    'returnsToGo',
    'rewards',
    'timesteps',
    'stepMask',
    'actionMask',
  ] as const) {
    both[part].set(one[part], 0);
    both[part].set(other[part], one[part].length);
  }
  return both;
}

const freshTensors = () =>
  TrainingTensors.fromWeights(model, initialArrays({ model, modulation: { kind: 'none' } }, randomSource(3)));

async function afterUpdates(
  options: Omit<UpdateGraphOptions, 'model' | 'weightDecay'>,
  batches: readonly BatchArrays[],
) {
  const graph = compileUpdate({ model, weightDecay: 0.01, ...options });
  const tensors = freshTensors();
  let next = 0;
  const outcomes = Array.from({ length: batches.length / options.accumulate }, (_, i) =>
    graph.run(tensors, { number: i + 1, learningRate: 1e-2 }, () => batches[next++]!),
  );
  const arrays = new Map([...(await tensors.toArrays())].map(([name, { data }]) => [name, [...data]] as const));
  tensors.dispose();
  graph.dispose();
  return { outcomes, arrays };
}

function worstDifference(
  one: ReadonlyMap<string, readonly number[]>,
  other: ReadonlyMap<string, readonly number[]>,
): number {
  let worst = 0;
  for (const [name, values] of one)
    values.forEach((value, i) => (worst = Math.max(worst, Math.abs(value - other.get(name)![i]!))));
  return worst;
}

describe('one update as one graph', () => {
  const four = [1, 2, 3, 4].map((seed) => randomBatch(6, seed));

  test('equals the same operations run one by one', async () => {
    const graph = await afterUpdates({ batchSize: 6, accumulate: 1 }, four);
    const eager = await afterUpdates({ batchSize: 6, accumulate: 1, compile: { capture: false } }, four);
    expect(worstDifference(graph.arrays, eager.arrays)).toBeLessThan(1e-5);
    graph.outcomes.forEach(({ loss }, i) => expect(loss).toBeCloseTo(eager.outcomes[i]!.loss, 5));
  });

  test('of two accumulated batches equals that of one batch twice as large', async () => {
    const accumulated = await afterUpdates({ batchSize: 6, accumulate: 2 }, four);
    const large = [joined(four[0]!, four[1]!), joined(four[2]!, four[3]!)];
    const whole = await afterUpdates({ batchSize: 12, accumulate: 1 }, large);
    expect(worstDifference(accumulated.arrays, whole.arrays)).toBeLessThan(1e-5);
    accumulated.outcomes.forEach(({ loss, gradientNorm }, i) => {
      expect(loss).toBeCloseTo(whole.outcomes[i]!.loss, 5);
      expect(gradientNorm).toBeCloseTo(whole.outcomes[i]!.gradientNorm, 4);
    });
  });

  test('keeps the pad row at zero and the number of tensors constant', async () => {
    const graph = compileUpdate({ model, batchSize: 6, accumulate: 2, weightDecay: 0.01 });
    const loss = compileLoss({ model, batchSize: 6 });
    const tensors = freshTensors();
    const padded = randomBatch(6, 5);
    padded.stepMask.fill(0, 0, 2);
    padded.actionTokens.fill(model.bins, 0, 2 * model.actionSize);
    graph.run(tensors, { number: 1, learningRate: 1e-2 }, () => padded);
    const before = memory().numTensors;
    for (let number = 2; number < 10; number++) {
      graph.run(tensors, { number, learningRate: 1e-2 }, () => padded);
      loss.run(tensors.parameters, padded);
    }
    expect(memory().numTensors).toBe(before);
    const table = (await tensors.weights()).get('embed_action_disc.weight')!.data;
    expect([...table.subarray(model.bins * model.width)]).toEqual(new Array<number>(model.width).fill(0));
  });

  test('measures the loss that the update reports before it learns', () => {
    const graph = compileUpdate({ model, batchSize: 6, accumulate: 1, weightDecay: 0.01 });
    const loss = compileLoss({ model, batchSize: 6 });
    const tensors = freshTensors();
    const before = loss.run(tensors.parameters, four[0]!);
    const outcome = graph.run(tensors, { number: 1, learningRate: 1e-2 }, () => four[0]!);
    expect(outcome.loss).toBeCloseTo(before, 5);
    expect(loss.run(tensors.parameters, four[0]!)).toBeLessThan(before);
  });
});
