import { Tensor, tensor, type TypedArray } from '@tensorflow/tfjs-core';
import { L2mError, unknownNameError } from '../errors.ts';

export type SpecDataType = 'float32' | 'int32' | 'bool';

/** Shape and type of one input or output; every length is fixed, because a graph is compiled for exactly these. */
export interface TensorSpec {
  readonly shape: readonly number[];
  readonly dtype: SpecDataType;
}

export type TensorSpecs<Name extends string = string> = Readonly<Record<Name, TensorSpec>>;

/** A tensor, which stays the caller's, or plain values in row-major order in the array type of the spec. */
export type TensorInput = Tensor | Float32Array | Int32Array | Uint8Array;

/** The inputs of one call as tensors in the order of `names`; `release` frees those made from plain values. */
export interface ResolvedInputs {
  readonly tensors: Tensor[];
  release(): void;
}

const ARRAY_TYPES = { float32: Float32Array, int32: Int32Array, bool: Uint8Array } as const;

export function elementCount(shape: readonly number[]): number {
  return shape.reduce((product, length) => product * length, 1);
}

export function zeros(spec: TensorSpec): Float32Array | Int32Array | Uint8Array {
  return new ARRAY_TYPES[spec.dtype](elementCount(spec.shape));
}

export function describeSpec(spec: TensorSpec): string {
  return `${spec.dtype} [${spec.shape.join(', ')}]`;
}

/** @throws L2M_SHAPE_MISMATCH if a length is not a whole number >= 0 or there is no input at all */
export function assertSpecs(specs: TensorSpecs): void {
  const names = Object.keys(specs);
  if (names.length === 0) throw new L2mError('L2M_SHAPE_MISMATCH', 'a compiled function needs at least one input');
  for (const name of names) {
    const spec = specs[name]!;
    if (!(spec.dtype in ARRAY_TYPES) || !spec.shape.every((length) => Number.isInteger(length) && length >= 0)) {
      throw new L2mError('L2M_SHAPE_MISMATCH', `input '${name}' is declared as ${describeSpec(spec)}`);
    }
  }
}

/**
 * @throws L2M_SHAPE_MISMATCH for an input that is missing, unknown, already disposed, or of another shape or type
 */
export function resolveInputs<Name extends string>(
  specs: TensorSpecs<Name>,
  inputs: Readonly<Record<Name, TensorInput>>,
): ResolvedInputs {
  const names = Object.keys(specs) as Name[];
  for (const name of Object.keys(inputs)) {
    if (!Object.hasOwn(specs, name))
      throw unknownNameError(
        'L2M_SHAPE_MISMATCH',
        `input ${name}`,
        names.map((known) => `input ${known}`),
      );
  }
  const made: Tensor[] = [];
  const release = (): void => made.forEach((one) => one.dispose());
  try {
    const tensors = names.map((name) => {
      const input = inputs[name] as TensorInput | undefined;
      if (input === undefined) throw mismatch(name, specs[name], 'nothing');
      if (input instanceof Tensor) return checkTensor(name, specs[name], input);
      const one = tensorFromValues(name, specs[name], input);
      made.push(one);
      return one;
    });
    return { tensors, release };
  } catch (error) {
    release();
    throw error;
  }
}

function checkTensor(name: string, spec: TensorSpec, input: Tensor): Tensor {
  if (input.isDisposed) throw mismatch(name, spec, 'a tensor that was disposed before');
  if (input.dtype === spec.dtype && sameShape(input.shape, spec.shape)) return input;
  throw mismatch(name, spec, `${input.dtype} [${input.shape.join(', ')}]`);
}

function tensorFromValues(name: string, spec: TensorSpec, values: TypedArray): Tensor {
  const fits = values instanceof ARRAY_TYPES[spec.dtype] && values.length === elementCount(spec.shape);
  if (!fits) throw mismatch(name, spec, `${values.constructor.name} of ${values.length}`);
  return tensor(values, [...spec.shape], spec.dtype);
}

function sameShape(a: readonly number[], b: readonly number[]): boolean {
  return a.length === b.length && a.every((length, axis) => length === b[axis]);
}

function mismatch(name: string, spec: TensorSpec, got: string): L2mError {
  const hint = 'A compiled function takes exactly the shapes it was compiled for.';
  return new L2mError('L2M_SHAPE_MISMATCH', `input '${name}' takes ${describeSpec(spec)}, got ${got}`, { hint });
}
