import '@tensorflow/tfjs-backend-cpu';
import * as tf from '@tensorflow/tfjs-core';
import type { Tensor } from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, it } from 'vitest';
import { startBackend, type BackendOptions } from '../../../../server/tensors/backend.ts';
import { compile, type CompileOptions } from '../../../../server/tensors/compile.ts';
import type { TensorFunction } from '../../../../server/tensors/capture.ts';
import type { ContractCase, NamedTensors, Values } from './cases.ts';
import { MODEL_CASES } from './model-cases.ts';
import { OP_CASES } from './op-cases.ts';

export interface ContractSubject {
  readonly backend: BackendOptions;
  readonly compile: CompileOptions;
  /** Whether compiled functions have to be graphs here; a suite that silently ran eagerly would prove nothing. */
  readonly captured: boolean;
  /** Cases that cannot run, by name, with the reason. */
  readonly exceptions?: Readonly<Record<string, string>>;
}

interface Result {
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly values: Values;
}

/** The contract of compiled functions: every case gives the plain JavaScript backend's results, and no tensor is left behind. */
export function describeTensorContract(subject: ContractSubject): void {
  let backendName = '';
  beforeAll(async () => {
    const backend = await startBackend(subject.backend);
    expect(backend.capture && subject.compile.capture !== false).toBe(subject.captured);
    backendName = tf.getBackend();
  });

  describe.each([...OP_CASES, ...MODEL_CASES])('$name', (one) => {
    const reason = subject.exceptions?.[one.name];
    const test = reason === undefined ? it : it.skip;
    test(reason === undefined ? 'gives the same results' : `cannot run here: ${reason}`, () => {
      expectSameResults(one.fn, one);
    });
    if (one.gradients !== undefined) {
      test('has the same gradients', () => expectSameResults(gradientFunction(one), one));
    }
  });

  function expectSameResults(fn: ContractCase['fn'], one: ContractCase): void {
    const expected = referenceResults(fn, one, backendName);
    const before = tf.memory().numTensors;
    const compiled = compile(fn as TensorFunction<string, string>, one.inputs, subject.compile);
    expect(compiled.form.kind).toBe(subject.captured ? 'graph' : 'eager');
    const inputs = Object.fromEntries(Object.entries(one.inputs).map(([name, { values }]) => [name, values]));
    // Twice: the first run of a graph may be compiled differently from the following ones.
    readAll(compiled.run(inputs));
    const results = readAll(compiled.run(inputs));
    compiled.dispose();
    expect(tf.memory().numTensors).toBe(before);
    expect(Object.keys(results)).toEqual(Object.keys(expected));
    for (const [name, result] of Object.entries(results)) {
      expectSame(result, expected[name]!, { name, tolerance: one.tolerance ?? 1e-6 });
    }
  }
}

/** Gradients of the sum of squares of all float outputs. */
function gradientFunction({ fn, gradients = [] }: ContractCase): ContractCase['fn'] {
  return (inputs) => {
    const loss = (...wanted: Tensor[]): tf.Scalar => {
      const outputs = fn({ ...inputs, ...Object.fromEntries(gradients.map((name, i) => [name, wanted[i]!])) });
      return tf.addN(Object.values(outputs).map((output) => tf.sum(tf.square(output))));
    };
    const results = tf.grads(loss)(gradients.map((name) => inputs[name]!));
    return Object.fromEntries(gradients.map((name, i) => [name, results[i]!]));
  };
}

function referenceResults(fn: ContractCase['fn'], one: ContractCase, backendName: string): Record<string, Result> {
  void tf.setBackend('cpu');
  tf.engine().startScope('reference');
  try {
    const entries = Object.entries(one.inputs).map(([name, { values, shape, dtype }]) => {
      return [name, tf.tensor(values, [...shape], dtype)] as const;
    });
    return readAll(fn(Object.fromEntries(entries)));
  } finally {
    tf.engine().endScope();
    void tf.setBackend(backendName);
  }
}

function readAll(tensors: NamedTensors): Record<string, Result> {
  const results = Object.entries(tensors).map(([name, one]): [string, Result] => {
    return [name, { dtype: one.dtype, shape: one.shape, values: one.dataSync<'float32' | 'int32' | 'bool'>() }];
  });
  tf.dispose(tensors);
  return Object.fromEntries(results);
}

function expectSame(result: Result, expected: Result, { name, tolerance }: { name: string; tolerance: number }): void {
  const { dtype, shape } = result;
  expect({ name, dtype, shape }).toEqual({ name, dtype: expected.dtype, shape: expected.shape });
  const values = [...result.values];
  const wanted = [...expected.values];
  if (dtype !== 'float32') {
    expect(values).toEqual(wanted);
    return;
  }
  expect(values.every(Number.isFinite)).toBe(true);
  const largest = wanted.reduce((most, value) => Math.max(most, Math.abs(value)), 1e-30);
  const worst = wanted.reduce((most, value, i) => Math.max(most, Math.abs(value - values[i]!)), 0);
  expect(worst / largest, `largest relative difference of '${name}'`).toBeLessThanOrEqual(tolerance);
}
