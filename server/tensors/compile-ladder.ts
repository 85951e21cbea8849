import { Tensor, pad, slice, tidy } from '@tensorflow/tfjs-core';
import { L2mError } from '../errors.ts';
import type { TensorFunction } from './capture.ts';
import { compileGroup, type CompileOptions } from './compile.ts';
import { eagerFunction, type CompiledFunction } from './compiled-function.ts';
import { elementCount, type SpecDataType, type TensorInput, type TensorSpec, type TensorSpecs } from './tensor-spec.ts';

/** A spec whose first length may be `'batch'`: the one that varies from call to call. */
export interface LadderSpec {
  readonly shape: readonly (number | 'batch')[];
  readonly dtype: SpecDataType;
}

export interface LadderOptions extends CompileOptions {
  /** Batch sizes to compile for, rising; a call takes the first that holds it. See `batchSizes`. */
  readonly sizes: readonly number[];
}

/** A function compiled for several batch sizes, which share one graph and its constants. */
export interface CompiledLadder<I extends string, O extends string> {
  readonly sizes: readonly number[];
  /**
   * The function for the first size that holds `batch` rows, for callers that fill up the rows themselves.
   * @throws L2M_SHAPE_MISMATCH if `batch` is not in 1..largest size
   */
  rung(batch: number): Rung<I, O>;
  /**
   * Fills the batched inputs up with zeros to a compiled size, and cuts those outputs back whose first length is the batch
   * size. Plain values are filled up in JavaScript, tensors on the device.
   *
   * @throws L2M_SHAPE_MISMATCH if batched inputs differ in rows, or have more than the largest size
   */
  run(inputs: Readonly<Record<I, TensorInput>>): Record<O, Tensor>;
  dispose(): void;
}

export interface Rung<I extends string, O extends string> {
  readonly size: number;
  readonly compiled: CompiledFunction<I, O>;
}

/** 1, 2, 4, … and `largest` itself. */
export function batchSizes(largest: number): number[] {
  const sizes: number[] = [];
  for (let size = 1; size < largest; size *= 2) sizes.push(size);
  return [...sizes, largest];
}

/**
 * Compiles `fn` once for every batch size, because a graph has fixed shapes. Where functions run eagerly nothing is
 * compiled ahead and nothing is filled up.
 *
 * @throws as `compile`
 */
export function compileLadder<I extends string, O extends string>(
  fn: TensorFunction<I, O>,
  specs: Readonly<Record<I, LadderSpec>>,
  options: LadderOptions,
): CompiledLadder<I, O> {
  const { sizes } = options;
  assertRising(sizes);
  const batched = (Object.keys(specs) as I[]).filter((name) => specs[name].shape[0] === 'batch');
  const definitions = sizes.map((size) => [String(size), { fn, specs: specsFor(specs, size) }] as const);
  const group = compileGroup<string, I, O>(Object.fromEntries(definitions), options);
  const rungs = sizes.map((size) => ({ size, compiled: group.functions[String(size)]! }));
  const cut = batchedOutputs(rungs);
  const rung = (batch: number): Rung<I, O> => {
    const found = batch >= 1 ? rungs.find(({ size }) => size >= batch) : undefined;
    if (found === undefined) {
      throw new L2mError('L2M_SHAPE_MISMATCH', `a batch of ${batch} rows, compiled for 1 to ${sizes.at(-1)!}`);
    }
    if (found.compiled.form.kind === 'graph') return found;
    return { size: batch, compiled: eagerFunction(fn, specsFor(specs, batch)) };
  };
  return {
    sizes,
    rung,
    run: (inputs) => {
      const batch = commonRows(specs, batched, inputs);
      const { size, compiled } = rung(batch);
      if (size === batch) return compiled.run(inputs);
      return tidy(() => {
        const filled = batched.map((name) => [name, fillUp(inputs[name], { batch, size })] as const);
        const outputs = compiled.run({ ...inputs, ...Object.fromEntries(filled) });
        for (const name of cut) outputs[name] = slice(outputs[name], 0, batch);
        return outputs;
      });
    },
    dispose: () => group.dispose(),
  };
}

function assertRising(sizes: readonly number[]): void {
  const rising = sizes.every((size, i) => Number.isInteger(size) && size > (sizes[i - 1] ?? 0));
  if (sizes.length > 0 && rising) return;
  throw new L2mError('L2M_SHAPE_MISMATCH', `batch sizes must be whole numbers that rise, got [${sizes.join(', ')}]`);
}

function specsFor<I extends string>(specs: Readonly<Record<I, LadderSpec>>, size: number): TensorSpecs<I> {
  const entries = Object.entries<LadderSpec>(specs).map(([name, { shape, dtype }]): [string, TensorSpec] => [
    name,
    { dtype, shape: shape.map((length) => (length === 'batch' ? size : length)) },
  ]);
  return Object.fromEntries(entries) as Record<I, TensorSpec>;
}

/** Outputs whose first length follows the batch size in every graph. */
function batchedOutputs<I extends string, O extends string>(rungs: readonly Rung<I, O>[]): O[] {
  const follows = (name: string): boolean =>
    rungs.every(({ size, compiled: { form } }) => form.kind === 'graph' && form.outputs[name]!.shape[0] === size);
  const { form } = rungs[0]!.compiled;
  return form.kind === 'graph' ? (Object.keys(form.outputs).filter(follows) as O[]) : [];
}

function commonRows<I extends string>(
  specs: Readonly<Record<I, LadderSpec>>,
  batched: readonly I[],
  inputs: Readonly<Record<I, TensorInput>>,
): number {
  const rows = batched.map((name) => rowCount(specs[name], inputs[name]));
  const [first = 0] = rows;
  if (rows.every((count) => count === first)) return first;
  const got = batched.map((name, i) => `${name} ${rows[i]!}`).join(', ');
  throw new L2mError('L2M_SHAPE_MISMATCH', `batched inputs differ in rows: ${got}`);
}

function rowCount(spec: LadderSpec, input: TensorInput | undefined): number {
  if (input instanceof Tensor) return input.shape[0];
  return (input?.length ?? 0) / elementCount(spec.shape.slice(1) as number[]);
}

function fillUp(input: TensorInput, { batch, size }: { batch: number; size: number }): TensorInput {
  if (input instanceof Tensor)
    return pad(
      input,
      input.shape.map((_, axis) => [0, axis === 0 ? size - batch : 0]),
    );
  const ArrayType = input.constructor as new (length: number) => Exclude<TensorInput, Tensor>;
  const filled = new ArrayType((input.length / batch) * size);
  filled.set(input);
  return filled;
}
