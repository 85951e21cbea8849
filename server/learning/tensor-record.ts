import type { Tensor } from '@tensorflow/tfjs-core';
import type { Shapes } from '../../agent/weights/names.ts';
import type { TensorSpec } from '../tensors/tensor-spec.ts';

export type TensorRecord = Readonly<Record<string, Tensor>>;

/**
 * A graph has flat names, a training state has several records with the same names: weights, moments, sums of gradients. Inside a graph
 * an entry is called `<kind> <name>`.
 */
export type RecordKind = 'parameter' | 'first' | 'second' | 'sum';

export function specsOf(kind: RecordKind, shapes: Shapes): Record<string, TensorSpec> {
  return Object.fromEntries(
    Object.entries(shapes).map(([name, shape]) => [`${kind} ${name}`, { shape, dtype: 'float32' }] as const),
  );
}

export function flattened(kind: RecordKind, record: TensorRecord): Record<string, Tensor> {
  return Object.fromEntries(Object.entries(record).map(([name, tensor]) => [`${kind} ${name}`, tensor] as const));
}

/** The record of one kind out of flat names, in the order of `names`. */
export function recordOf(kind: RecordKind, flat: TensorRecord, names: readonly string[]): Record<string, Tensor> {
  return Object.fromEntries(names.map((name) => [name, tensorNamed(flat, `${kind} ${name}`)] as const));
}

export function tensorNamed(record: TensorRecord, name: string): Tensor {
  const tensor = record[name];
  if (tensor === undefined) throw new RangeError(`no tensor called ${name}`);
  return tensor;
}

/** Reads a scalar and disposes it. */
export function takeScalar(record: TensorRecord, name: string): number {
  const tensor = tensorNamed(record, name);
  const value = tensor.dataSync()[0] ?? Number.NaN;
  tensor.dispose();
  return value;
}

/** Reads whole numbers and disposes the tensor. */
export function takeWhole(record: TensorRecord, name: string): Int32Array {
  const tensor = tensorNamed(record, name);
  const values = Int32Array.from(tensor.dataSync());
  tensor.dispose();
  return values;
}

export function disposeAll(record: TensorRecord): void {
  for (const tensor of Object.values(record)) tensor.dispose();
}

/** Tensors of a list under flat names, `<kind> <name>`. */
export function named(kind: string, names: readonly string[], tensors: readonly Tensor[]): Record<string, Tensor> {
  return Object.fromEntries(tensors.map((tensor, i) => [`${kind} ${names[i] ?? ''}`, tensor] as const));
}

/** Several records as one. */
export function merged<Value>(records: readonly Readonly<Record<string, Value>>[]): Record<string, Value> {
  return Object.fromEntries(records.flatMap((record) => Object.entries(record)));
}
