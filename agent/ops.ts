/**
 * The only import of tfjs-core in this room: every operation the policy is made of, so that a backend (or the capture of a
 * function into one TensorFlow graph) has to know exactly these and their gradients.
 */
import * as tf from '@tensorflow/tfjs-core';
import { AgentError } from './agent-error.ts';

export type { Scalar, Tensor } from '@tensorflow/tfjs-core';
type Tensor = tf.Tensor;

export const {
  add,
  addN,
  argMax,
  cast,
  concat,
  cos,
  dispose,
  div,
  erf,
  exp,
  floor,
  gather,
  greater,
  keep,
  logSoftmax,
  matMul,
  maximum,
  memory,
  minimum,
  mul,
  oneHot,
  relu,
  reshape,
  rsqrt,
  scalar,
  sin,
  slice,
  softmax,
  softplus,
  sqrt,
  square,
  stack,
  sub,
  tanh,
  tensor,
  tidy,
  transpose,
  valueAndGrads,
  zerosLike,
} = tf;

/** Sum over some axes, kept as length 1. Never differentiate through it on large tensors: tfjs fills the gradient from JavaScript. */
export function sumKept(x: Tensor, axes: number | number[]): Tensor {
  return tf.sum(x, axes, true);
}

/** Mean over the last axis, kept as length 1; the same warning as for `sumKept`. */
export function meanKept(x: Tensor): Tensor {
  return tf.mean(x, -1, true);
}

/** Sum over one axis, which disappears; the same warning as for `sumKept`. */
export function sumOver(x: Tensor, axis: number): Tensor {
  return tf.sum(x, axis);
}

/** Mean of all entries, a scalar; the same warning as for `sumKept`. */
export function mean(x: Tensor): Tensor {
  return tf.mean(x);
}

/** Sum of all entries, a scalar; the same warning as for `sumKept`. */
export function sumAll(x: Tensor): Tensor {
  return tf.sum(x);
}

/** Parts along an axis. A single part goes around tfjs, whose gradient fails there. */
export function split(x: Tensor, parts: number | number[], axis?: number): Tensor[] {
  const one = typeof parts === 'number' ? parts === 1 : parts.length === 1;
  return one ? [tf.clone(x)] : tf.split(x, parts, axis);
}

/** Number of axes as a fact of the shape: `-1` in `expected` stands for any length. */
export function assertShape(x: Tensor, expected: readonly number[], name: string): void {
  const fits = x.shape.length === expected.length && expected.every((n, i) => n === -1 || n === x.shape[i]);
  if (fits) return;
  const wanted = expected.map((n) => (n === -1 ? 'any' : String(n))).join(', ');
  throw new AgentError('L2M_SHAPE_MISMATCH', `${name} is [${x.shape.join(', ')}], expected [${wanted}]`);
}

/** Keeps tensors of the forward pass for the gradient; everything else is disposed. */
export type Save = (tensors: Tensor[]) => void;

/** The value of a function and how an upstream gradient goes on to its inputs, in their order. */
export interface WithGradient {
  readonly value: Tensor;
  readonly gradFunc: (upstream: Tensor, saved: Tensor[]) => Tensor | Tensor[];
}

/** A function of tensors whose gradient is written out. Only saved tensors may be used in `gradFunc`. */
export function withGradient<Inputs extends readonly Tensor[]>(
  forward: (inputs: Inputs, save: Save) => WithGradient,
): (...inputs: Inputs) => Tensor {
  const run = tf.customGrad((...all) => {
    const save = all.pop() as unknown as Save;
    return forward(all as unknown as Inputs, save);
  });
  return (...inputs) => run(...inputs);
}
