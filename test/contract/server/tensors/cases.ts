import type { Tensor } from '@tensorflow/tfjs-core';
import type { TensorSpec } from '../../../../server/tensors/tensor-spec.ts';

export type Values = Float32Array | Int32Array | Uint8Array;
export type NamedTensors = Record<string, Tensor>;

/** One function with inputs, whose results have to be the same on every backend, captured or not. */
export interface ContractCase {
  readonly name: string;
  readonly inputs: Readonly<Record<string, CaseInput>>;
  readonly fn: (inputs: NamedTensors) => NamedTensors;
  /** Inputs for which the gradient of all float outputs is compared as well. */
  readonly gradients?: readonly string[];
  /** Largest difference allowed, relative to the largest entry of an output. Default 1e-6. */
  readonly tolerance?: number;
}

export interface CaseInput extends TensorSpec {
  readonly values: Values;
}

/** Evenly spread numbers in [low, high), the same for the same seed (a linear congruential generator of Numerical Recipes). */
export function floats(shape: readonly number[], seed = 1, [low, high] = [-1, 1]): CaseInput {
  let state = seed >>> 0;
  const values = Float32Array.from({ length: count(shape) }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return low + ((high - low) * state) / 2 ** 32;
  });
  return { shape, dtype: 'float32', values };
}

/** Whole numbers in 0..limit-1. */
export function integers(shape: readonly number[], limit: number, seed = 1): CaseInput {
  const values = Int32Array.from(floats(shape, seed, [0, limit]).values, Math.floor);
  return { shape, dtype: 'int32', values };
}

export function booleans(shape: readonly number[], seed = 1): CaseInput {
  return { shape, dtype: 'bool', values: Uint8Array.from(integers(shape, 2, seed).values) };
}

function count(shape: readonly number[]): number {
  return shape.reduce((product, length) => product * length, 1);
}
