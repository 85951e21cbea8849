import { clone, tidy, type Tensor } from '@tensorflow/tfjs-core';
import type { CapturedFunction, TensorFunction } from './capture.ts';
import type { GraphSession } from './graph-session.ts';
import { resolveInputs, type TensorInput, type TensorSpecs } from './tensor-spec.ts';

/** A function of named tensors that runs as one graph where the backend can, else operation by operation. */
export interface CompiledFunction<I extends string = string, O extends string = string> {
  readonly inputs: TensorSpecs<I>;
  readonly form: CompiledForm;
  /**
   * @returns new tensors, the caller's to dispose, even where an output is an input; the inputs stay the caller's
   * @throws L2M_SHAPE_MISMATCH for inputs other than declared, L2M_GRAPH_FAILED if the graph fails
   */
  run(inputs: Readonly<Record<I, TensorInput>>): Record<O, Tensor>;
  dispose(): void;
}

/** How a function runs: as one TensorFlow graph, or operation by operation. */
export type CompiledForm =
  | {
      readonly kind: 'graph';
      readonly xla: boolean;
      readonly nodeCount: number;
      /** Of the graph as written, with all functions of the group. */
      readonly byteCount: number;
      readonly outputs: TensorSpecs;
    }
  | { readonly kind: 'eager' };

/** @param fn is called anew at every run */
export function eagerFunction<I extends string, O extends string>(
  fn: TensorFunction<I, O>,
  specs: TensorSpecs<I>,
): CompiledFunction<I, O> {
  const names = Object.keys(specs) as I[];
  return {
    inputs: specs,
    form: { kind: 'eager' },
    run: (inputs) => {
      const resolved = resolveInputs(specs, inputs);
      try {
        return tidy(() => {
          const entries = names.map((name, i) => [name, resolved.tensors[i]!] as const);
          const outputs = fn(Object.fromEntries(entries) as Record<I, Tensor>);
          return mapRecord(outputs, (output) => clone(output));
        });
      } finally {
        resolved.release();
      }
    },
    dispose: () => undefined,
  };
}

export interface GraphFunctionOptions {
  readonly xla: boolean;
  readonly nodeCount: number;
  /** Called once, at the first dispose. */
  readonly release: () => void;
}

export function graphFunction<I extends string, O extends string>(
  session: GraphSession,
  captured: CapturedFunction & { readonly specs: TensorSpecs<I> },
  options: GraphFunctionOptions,
): CompiledFunction<I, O> {
  const feeds = captured.inputs.map(({ node }) => ({ name: node }));
  const fetches = captured.outputs.map(({ node }) => node);
  let { release } = options;
  return {
    inputs: captured.specs,
    form: {
      kind: 'graph',
      xla: options.xla,
      nodeCount: options.nodeCount,
      byteCount: session.byteCount,
      outputs: Object.fromEntries(captured.outputs.map(({ name, spec }) => [name, spec])),
    },
    run: (inputs) => {
      const resolved = resolveInputs(captured.specs, inputs);
      try {
        const outputs = session.run(feeds, resolved.tensors, fetches);
        return Object.fromEntries(captured.outputs.map(({ name }, i) => [name, outputs[i]!])) as Record<O, Tensor>;
      } finally {
        resolved.release();
      }
    },
    dispose: () => {
      release();
      release = () => undefined;
    },
  };
}

function mapRecord<K extends string, T>(record: Record<K, T>, map: (value: T) => T): Record<K, T> {
  return Object.fromEntries(Object.entries<T>(record).map(([key, value]) => [key, map(value)])) as Record<K, T>;
}
