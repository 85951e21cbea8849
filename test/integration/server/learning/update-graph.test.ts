import { beforeAll, describe, expect, test } from 'vitest';
import { SMALL_TRAINING_MODEL as model, randomTrainingBatch as randomBatch } from './small-training.ts';
import { memory, tensor, type Tensor } from '@tensorflow/tfjs-core';
import type { ModelConfig } from '../../../../agent/config.ts';
import { dropoutKeys, REFERENCE_DROPOUT } from '../../../../agent/learning/dropout.ts';
import type { Anchor } from '../../../../agent/learning/penalty.ts';
import { randomSource } from '../../../../agent/random.ts';
import { initialArrays } from '../../../../agent/weights/initialise.ts';
import { modelShapes } from '../../../../agent/weights/names.ts';
import { allocateBatch, type BatchArrays } from '../../../../server/learning/batch-arrays.ts';
import { FrozenWeights } from '../../../../server/learning/frozen-weights.ts';
import { methodShapes, type LearningMethod } from '../../../../server/learning/learning-method.ts';
import { compileLoss } from '../../../../server/learning/loss-graph.ts';
import { TrainingTensors } from '../../../../server/learning/training-tensors.ts';
import { compileUpdate, type UpdateGraph, type UpdateGraphOptions } from '../../../../server/learning/update-graph.ts';
import { updateGraphInTurn } from '../../../../server/learning/update-graph-in-turn.ts';
import { startBackend } from '../../../../server/tensors/backend.ts';

beforeAll(() => startBackend({ backend: 'auto', threadCount: 1, xla: false }));

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

const freshTensors = (sized: ModelConfig = model) =>
  TrainingTensors.fromWeights(
    modelShapes(sized),
    initialArrays({ model: sized, modulation: { kind: 'none' } }, randomSource(3)),
  );

async function afterUpdates(
  options: Omit<UpdateGraphOptions, 'model' | 'weightDecay'> & Partial<UpdateGraphOptions>,
  batches: readonly BatchArrays[],
  graph: UpdateGraph = compileUpdate({ model, weightDecay: 0.01, ...options }),
) {
  const tensors = freshTensors(options.model);
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

  test.each(['seen', 'hidden'] as const)(
    'is that of the whole model for groups of narrower actions in turn, past actions %s',
    async (how) => {
      const sized = how === 'hidden' ? { ...model, pastActions: how } : model;
      const options = { model: sized, batchSize: 6, accumulate: 1, weightDecay: 0.01 };
      // The first group's tasks have one dimension of the model's two.
      const batches = four.map((batch, i) => ({
        ...batch,
        actionMask: batch.actionMask.map((_, k) => (i % 2 === 0 && k % 2 === 1 ? 0 : 1)),
      }));
      const groups = [[{ actionSize: 1 }], [{ actionSize: 2 }, { actionSize: 1 }]];
      const inTurn = await afterUpdates(options, batches, updateGraphInTurn(groups, options));
      const whole = await afterUpdates(options, batches, compileUpdate(options));
      expect(worstDifference(inTurn.arrays, whole.arrays)).toBeLessThan(1e-5);
      expect(inTurn.outcomes.map(({ loss }) => loss.toFixed(5))).toEqual(
        whole.outcomes.map(({ loss }) => loss.toFixed(5)),
      );
      // The graphs differ: in the other order a dimension that is real would be left out.
      const reversed = await afterUpdates(options, batches, updateGraphInTurn([...groups].reverse(), options));
      expect(worstDifference(reversed.arrays, whole.arrays)).toBeGreaterThan(1e-3);
    },
  );

  test.each([
    ['plain', model],
    ['with observation waves', { ...model, observationWaves: [2, 9] }],
  ])('equals the same operations run one by one, %s', async (_, sized) => {
    const options = { model: sized, batchSize: 6, accumulate: 1, weightDecay: 0.01 };
    const graph = await afterUpdates(options, four, compileUpdate(options));
    const eager = await afterUpdates(options, four, compileUpdate({ ...options, compile: { capture: false } }));
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

describe('one update of a pool over a frozen model', () => {
  const modulation = { kind: 'lora', poolSize: 4, keyCount: 4, rank: 2, scaling: 2 } as const;
  const batches = [11, 12, 13].map((seed) => randomBatch(6, seed));
  const setUp = (changes: Partial<LearningMethod> = {}) => {
    const shapes = methodShapes('pool', { model, modulation });
    const weights = initialArrays({ model, modulation }, randomSource(3));
    // A second factor of zero would leave the first without a gradient.
    weights.get('prompt.lora_b')?.data.forEach((_, i, data) => (data[i] = Math.sin(i) / 50));
    const frozen = FrozenWeights.fromWeights(shapes.frozen, weights);
    const method: LearningMethod = { ...shapes, frozen: frozen.tensors, pullWeight: 0.5, ...changes };
    return { frozen, method, tensors: TrainingTensors.fromWeights(shapes.trainable, weights) };
  };
  const options = (method: LearningMethod, accumulate = 1) => ({
    ...{ model, batchSize: 6, accumulate, weightDecay: 0.01, method },
  });

  test.each([
    ['without', undefined],
    ['with', Float32Array.of(0, 1, 0.5, 0)],
  ])('equals the same operations run one by one, %s the count penalty', async (_, inverseCounts) => {
    const results = [];
    for (const capture of [true, false]) {
      const { frozen, method, tensors } = setUp({ countPenalty: inverseCounts !== undefined });
      const graph = compileUpdate({ ...options(method), compile: { capture } });
      const outcomes = batches.map((batch, i) => {
        const request = {
          number: i + 1,
          learningRate: 1e-2,
          ...(inverseCounts === undefined ? {} : { inverseCounts }),
        };
        return graph.run(tensors, request, () => batch);
      });
      await frozen.verified();
      results.push({
        outcomes,
        arrays: new Map([...(await tensors.weights())].map(([name, { data }]) => [name, [...data]])),
      });
      graph.dispose();
      tensors.dispose();
      frozen.dispose();
    }
    const [captured, eager] = results as [(typeof results)[0], (typeof results)[0]];
    expect(worstDifference(captured.arrays, eager.arrays)).toBeLessThan(1e-5);
    expect(captured.outcomes.map(({ selectedKeys }) => selectedKeys)).toEqual(
      eager.outcomes.map(({ selectedKeys }) => selectedKeys),
    );
    const keys = captured.outcomes.flatMap(({ selectedKeys }) => selectedKeys.flatMap((each) => [...each]));
    expect(keys).toHaveLength(18);
    if (inverseCounts !== undefined) expect(keys.every((key) => key === 1 || key === 2)).toBe(true);
    captured.outcomes.forEach(({ similarity }, i) => expect(similarity).toBeCloseTo(eager.outcomes[i]!.similarity, 5));
  });

  test('with dropout equals the same operations run one by one, and differs with the keys', async () => {
    const results: number[][] = [];
    for (const [capture, seed] of [
      [true, 1],
      [false, 1],
      [true, 2],
    ] as const) {
      const { frozen, method, tensors } = setUp({ dropout: REFERENCE_DROPOUT });
      const graph = compileUpdate({ ...options(method, 2), compile: { capture } });
      const keys = (batch: number) => dropoutKeys(randomSource(10 * seed + batch));
      let next = 0;
      graph.run(tensors, { number: 1, learningRate: 1e-2, dropoutKeys: keys }, () => batches[next++]!);
      results.push([...(await tensors.weights()).values()].flatMap(({ data }) => [...data]));
      await frozen.verified();
      graph.dispose();
      tensors.dispose();
    }
    const worst = (a: number[], b: number[]) =>
      a.reduce((most, value, i) => Math.max(most, Math.abs(value - b[i]!)), 0);
    expect(worst(results[0]!, results[1]!)).toBeLessThan(1e-5);
    expect(worst(results[0]!, results[2]!)).toBeGreaterThan(1e-3);
  });

  test('is pulled towards anchors as the gradient of the penalty says', () => {
    const names = Object.keys(setUp().method.trainable);
    const anchorOf = (tensors: TrainingTensors): Anchor => ({
      weights: names.map((name) => tensors.parameters[name]!.add(0.25)),
      importances: names.map((name) => tensors.parameters[name]!.mul(0).add(0.01)),
    });
    const norms: number[] = [];
    for (const penalised of [false, true]) {
      const { method, tensors } = setUp();
      const anchors = [anchorOf(tensors)];
      const graph = compileUpdate(options(penalised ? { ...method, penalty: { anchors, strength: 400 } } : method));
      const size = Object.values(tensors.shapes).reduce((sum, shape) => sum + shape.reduce((a, b) => a * b, 1), 0);
      const { penalty, gradientNorm } = graph.run(tensors, { number: 1, learningRate: 1e-3 }, () => batches[0]!);
      norms.push(gradientNorm);
      // 400 x 0.01 x 0.25² a weight; the gradient is -2 a weight, which dwarfs that of the loss.
      if (!penalised) expect(penalty).toBe(0);
      else {
        expect(penalty / (0.25 * size)).toBeCloseTo(1, 3);
        expect(Math.abs(gradientNorm / (2 * Math.sqrt(size)) - 1)).toBeLessThan(0.02);
      }
      graph.dispose();
    }
    expect(norms[1]).toBeGreaterThan(norms[0]!);
  });

  test('of one batch alone, divided as if there were two, is the reference’s first update', async () => {
    const halves = setUp();
    const two = compileUpdate(options(halves.method, 2));
    const first = two.run(halves.tensors, { number: 1, learningRate: 1e-2, batches: 1 }, () => batches[0]!);
    const whole = setUp();
    const one = compileUpdate(options(whole.method));
    const full = one.run(whole.tensors, { number: 1, learningRate: 1e-2 }, () => batches[0]!);
    expect(first.gradientNorm).toBeCloseTo(full.gradientNorm / 2, 5);
    expect(first.loss).toBeCloseTo(full.loss, 5);
    expect(first.selectedKeys).toHaveLength(1);
    two.dispose();
    one.dispose();
    await Promise.all([halves, whole].map(({ frozen }) => frozen.verified()));
  });

  test('would be noticed if it changed a frozen weight', async () => {
    const { frozen } = setUp();
    const name = 'encoder.ln_f.bias';
    const changed = frozen.tensors[name]!.dataSync().slice();
    changed[3] = 1e-30;
    const tampered = Object.assign(frozen.tensors as Record<string, Tensor>, {
      [name]: tensor(changed, [model.width]),
    });
    expect(tampered[name]).toBeDefined();
    await expect(frozen.verified()).rejects.toMatchObject({
      code: 'L2M_GRAPH_FAILED',
      message: expect.stringContaining('frozen weights changed') as string,
    });
  });
});
