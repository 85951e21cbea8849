import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, expect, it } from 'vitest';
import { trainableNames } from '../../../agent/learning/trainable.ts';
import { isPool } from '../../../agent/config.ts';
import { sacUpdate } from '../../../agent/experts/sac-update.ts';
import { groupSize } from '../../../agent/experts/expert-shape.ts';
import { startBackend } from '../../../server/tensors/backend.ts';
import { OP_CASES } from '../../contract/server/tensors/op-cases.ts';
import { MODEL_CASES } from '../../contract/server/tensors/model-cases.ts';
import type { ContractCase } from '../../contract/server/tensors/cases.ts';
import { everything } from './everything.ts';
import { GOLDEN_NAMES, goldenBatch, goldenCase, goldenParameters } from './golden-case.ts';

beforeAll(() => startBackend({ backend: 'javascript' }));

async function kernelsOf(fn: () => unknown): Promise<readonly string[]> {
  const { kernelNames } = await tf.profile(() => fn() as tf.TensorContainer);
  return kernelNames;
}

/** A contract case and, where it has one, its gradient. */
function runCase({ inputs, fn, gradients = [] }: ContractCase): void {
  const tensors = Object.fromEntries(
    Object.entries(inputs).map(([name, { values, shape, dtype }]) => [name, tf.tensor(values, [...shape], dtype)]),
  );
  fn(tensors);
  if (gradients.length === 0) return;
  tf.grads((...wanted: tf.Tensor[]) => {
    const outputs = fn({ ...tensors, ...Object.fromEntries(gradients.map((name, i) => [name, wanted[i]!])) });
    return tf.addN(Object.values(outputs).map((output) => tf.sum(tf.square(output))));
  })(gradients.map((name) => tensors[name]!));
}

function expertUpdate(): void {
  const shape = { observationSize: 3, actionSize: 2, hidden: [4] };
  const vector = (group: 'actor' | 'critics' | 'temperature') => {
    const [values, first, second] = [0, 1, 2].map(() => tf.fill([groupSize(group, shape)], 0.1));
    return { values: values!, first: first!, second: second! };
  };
  const rows = (width: number) => tf.fill([5, width], 0.2);
  sacUpdate(
    {
      actor: vector('actor'),
      critics: vector('critics'),
      temperature: vector('temperature'),
      targets: vector('critics').values,
    },
    {
      ...{ observations: rows(3), actions: rows(2), rewards: tf.fill([5], 1), nextObservations: rows(3) },
      ...{ noise: rows(2), nextNoise: rows(2) },
    },
    {
      shape,
      settings: {
        discount: 0.9,
        targetRate: 0.1,
        learningRate: 1e-3,
        temperatureLearningRate: 1e-3,
        targetEntropy: -2,
      },
      corrections: { biasCorrection1: tf.fill([1], 0.1), biasCorrection2: tf.fill([1], 0.01) },
    },
  );
}

it('the contract of every backend has a case for every kernel that the agent uses, gradients included', async () => {
  const covered = new Set<string>();
  for (const one of [...OP_CASES, ...MODEL_CASES])
    (await kernelsOf(() => runCase(one))).forEach((name) => covered.add(name));
  const used = new Set<string>();
  for (const name of GOLDEN_NAMES) {
    const { config } = goldenCase(name);
    const parameters = goldenParameters(name);
    const learned = trainableNames(config.modulation.kind === 'none' ? 'model' : 'pool', config);
    const counts = tf.ones([isPool(config.modulation) ? config.modulation.keyCount : 1]);
    const inputs = { ...goldenBatch(), ...parameters, inverseCounts: counts };
    (await kernelsOf(() => everything(inputs, { config, parameters, learned }))).forEach((kernel) => used.add(kernel));
  }
  (await kernelsOf(expertUpdate)).forEach((kernel) => used.add(kernel));
  expect(used.size).toBeGreaterThan(25);
  // The profile also names functions with gradients of their own, which are no kernels.
  const kernels = new Set(tf.getKernelsForBackend('cpu').map(({ kernelName }) => kernelName));
  expect([...used].filter((name) => kernels.has(name) && !covered.has(name)).sort()).toEqual([]);
}, 240_000);
