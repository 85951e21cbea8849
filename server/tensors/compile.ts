import { L2mError } from '../errors.ts';
import { withBfloat16Products } from './bfloat16-products.ts';
import { currentBackend, currentNativeLibrary } from './backend.ts';
import { captureFunction, type CapturedFunction, type TensorFunction } from './capture.ts';
import { eagerFunction, graphFunction, type CompiledFunction } from './compiled-function.ts';
import { reachableNodes, type GraphNode } from './graph.ts';
import { clearGraphCache } from './graph-cache.ts';
import { GraphRecorder } from './graph-recorder.ts';
import { GraphSession } from './graph-session.ts';
import type { NativeLibrary } from './native-library.ts';
import { assertSpecs, zeros, type TensorInput, type TensorSpecs } from './tensor-spec.ts';

export interface CompileOptions {
  /** False runs the function eagerly even where it could be captured. Default: what the backend can. */
  readonly capture?: boolean;
  /** False keeps XLA away from this graph in a process that uses it. Default: what the backend was started with. */
  readonly xla?: boolean;
  /** Run each graph once on zeros, so that the first real call does not wait for XLA. Default true. */
  readonly warmUp?: boolean;
  readonly onProgress?: (progress: CompileProgress) => void;
}

/** Reported before each part of the work, and at the end with `finished === total`. */
export interface CompileProgress {
  readonly stage: 'record' | 'load' | 'warm-up' | 'ready';
  /** The function at work, by its name in the group; empty while the graph as a whole is loaded. */
  readonly name: string;
  readonly finished: number;
  readonly total: number;
  readonly elapsedMs: number;
}

export interface FunctionDefinition<I extends string = string, O extends string = string> {
  readonly fn: TensorFunction<I, O>;
  readonly specs: TensorSpecs<I>;
}

export interface CompiledGroup<Name extends string, I extends string, O extends string> {
  readonly functions: Readonly<Record<Name, CompiledFunction<I, O>>>;
  dispose(): void;
}

/**
 * Compiles a function of named tensors for the backend in use: with TensorFlow it is recorded once and from then on runs as
 * one graph, elsewhere it runs eagerly. The results are the same. Tensors that `fn` takes from outside become constants.
 *
 * @throws L2M_CAPTURE_REFUSED if it cannot be recorded, L2M_SHAPE_MISMATCH for unusable specs
 */
export function compile<I extends string, O extends string>(
  fn: TensorFunction<I, O>,
  specs: TensorSpecs<I>,
  options: CompileOptions = {},
): CompiledFunction<I, O> {
  return compileGroup({ function: { fn, specs } }, options).functions.function;
}

/** Compiles several functions into one graph, in which the constants they share exist once. */
export function compileGroup<Name extends string, I extends string, O extends string>(
  definitions: Readonly<Record<Name, FunctionDefinition<I, O>>>,
  options: CompileOptions = {},
): CompiledGroup<Name, I, O> {
  const entries = Object.entries<FunctionDefinition<I, O>>(definitions);
  for (const [, { specs }] of entries) assertSpecs(specs);
  const library = currentNativeLibrary();
  const functions =
    library !== undefined && currentBackend().capture && options.capture !== false
      ? captureAll(library, entries, options)
      : entries.map(([, { fn, specs }]) => eagerFunction(fn, specs));
  const named = entries.map(([name], i) => [name, functions[i]!] as const);
  return {
    functions: Object.fromEntries(named) as Record<Name, CompiledFunction<I, O>>,
    dispose: () => functions.forEach((one) => one.dispose()),
  };
}

function captureAll<I extends string, O extends string>(
  library: NativeLibrary,
  entries: readonly (readonly [string, FunctionDefinition<I, O>])[],
  options: CompileOptions,
): CompiledFunction<I, O>[] {
  const progress = progressReporter(options, entries.length);
  const recorder = new GraphRecorder(library.backend.binding);
  const recorded = entries.map(([name, { fn, specs }], i) => {
    progress('record', name);
    recorder.enterScope(`f${i}`);
    return { ...captureFunction(library.backend, recorder, { fn, specs }), specs };
  });
  const { precision, xla: xlaPossible } = currentBackend();
  const xla = xlaPossible && options.xla !== false;
  const recordedNodes = graphNodes(recorder, recorded);
  const nodes = precision === 'bfloat16' ? withBfloat16Products(recordedNodes) : recordedNodes;
  const open = (): CompiledFunction<I, O>[] => {
    progress('load', '');
    const session = GraphSession.load(library, xla ? nodes : nodes.map(withoutXla));
    let users = recorded.length;
    const release = (): void => {
      users -= 1;
      if (users === 0) session.dispose();
    };
    const functions = recorded.map((captured) => {
      const nodeCount = reachableNodes(nodes, outputNodes(captured)).length;
      return graphFunction<I, O>(session, captured, { xla, release, nodeCount });
    });
    try {
      if (options.warmUp === false) return functions;
      functions.forEach((one, i) => {
        progress('warm-up', entries[i]![0]);
        warmUp(one);
      });
      return functions;
    } catch (error) {
      session.dispose();
      throw error;
    }
  };
  const functions = openWithCache(open, xla);
  progress('ready', '');
  return functions;
}

/** A damaged file among the graphs kept from earlier starts makes a graph fail; without them it is compiled anew. */
function openWithCache<T>(open: () => T, xla: boolean): T {
  const { graphCache } = currentBackend();
  try {
    return open();
  } catch (error) {
    const fromCache = xla && graphCache !== null && error instanceof L2mError && error.code === 'L2M_GRAPH_FAILED';
    if (!fromCache || !clearGraphCache(graphCache)) throw error;
    return open();
  }
}

/** Everything the outputs need, and every placeholder: a graph must know an input to be fed it, used or not. */
function graphNodes(recorder: GraphRecorder, recorded: readonly CapturedFunction[]): GraphNode[] {
  const wanted = recorded.flatMap((captured) => [...captured.inputs.map(({ node }) => node), ...outputNodes(captured)]);
  return reachableNodes(recorder.nodes, wanted);
}

function outputNodes(captured: CapturedFunction): string[] {
  return captured.outputs.map(({ node }) => node);
}

/** The attribute with which TensorFlow's clustering leaves a node alone. */
function withoutXla(node: GraphNode): GraphNode {
  return { ...node, attributes: { ...node.attributes, _XlaCompile: { kind: 'bool', value: false } } };
}

function warmUp<I extends string, O extends string>(compiled: CompiledFunction<I, O>): void {
  const inputs = Object.entries<TensorSpecs[string]>(compiled.inputs).map(
    ([name, spec]) => [name, zeros(spec)] as const,
  );
  const outputs = compiled.run(Object.fromEntries(inputs) as Record<I, TensorInput>);
  for (const output of Object.values<{ dispose(): void }>(outputs)) output.dispose();
}

function progressReporter(options: CompileOptions, functionCount: number): ProgressReport {
  const startMs = performance.now();
  const total = functionCount + 1 + (options.warmUp === false ? 0 : functionCount);
  let finished = 0;
  return (stage, name) => {
    // Loading may happen a second time, see `openWithCache`.
    if (stage === 'load') finished = functionCount;
    options.onProgress?.({ stage, name, finished, total, elapsedMs: performance.now() - startMs });
    finished += 1;
  };
}

type ProgressReport = (stage: CompileProgress['stage'], name: string) => void;
