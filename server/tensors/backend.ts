import { createRequire } from 'node:module';
import { availableParallelism } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import * as tf from '@tensorflow/tfjs-core';
import { L2mError, unknownNameError } from '../errors.ts';
import { applyTensorEnvironment, type Precision } from './environment.ts';
import { prepareGraphCache } from './graph-cache.ts';
import { replaceNativeKernels } from './native-kernels.ts';
import { replaceWasmKernels } from './wasm-kernels.ts';
import type { NativeKernelBackend, NativeLibrary, ProtocolBufferMessages } from './native-library.ts';

/** Best first; `auto` tries all but the last, which is so slow that it serves tests only. */
export const BACKEND_KINDS = ['tensorflow-cuda', 'tensorflow-cpu', 'wasm', 'javascript'] as const;
export type BackendKind = (typeof BACKEND_KINDS)[number];

export interface BackendOptions {
  readonly backend?: 'auto' | BackendKind;
  /** Compile captured graphs with XLA (default true). Narrow models gain most; a function can still opt out. */
  readonly xla?: boolean;
  /** Threads inside one operation; default: every core this process may use. */
  readonly threadCount?: number;
  /** `bfloat16` multiplies matrices in bfloat16 where oneDNN does it (machines with AMX or AVX512-BF16). Default float32. */
  readonly precision?: Precision;
  /** Where graphs compiled by XLA are kept for the next start (default `.l2m/xla` of this checkout); false: nowhere. */
  readonly graphCache?: string | false;
}

/** A backend that was better than the one in use, and why it is not the one. */
export interface Fallback {
  readonly kind: BackendKind;
  readonly reason: string;
}

export interface Backend {
  readonly kind: BackendKind;
  /** The library that computes, with its version: `TensorFlow 2.21.0`. */
  readonly library: string;
  /** Whether functions are captured as TensorFlow graphs; without, every operation is called from JavaScript. */
  readonly capture: boolean;
  /** Whether captured graphs are compiled by XLA. */
  readonly xla: boolean;
  readonly threadCount: number;
  readonly precision: Precision;
  /** The folder in which compiled graphs outlast this process; null without XLA or where it cannot be used. */
  readonly graphCache: string | null;
  readonly fallbacks: readonly Fallback[];
}

type Request = Required<BackendOptions>;
type Loaded = Pick<Backend, 'kind' | 'library' | 'capture' | 'threadCount'> & { native?: NativeLibrary };

const require = createRequire(import.meta.url);
const GRAPH_CACHE = fileURLToPath(new URL('../../.l2m/xla', import.meta.url));
let started: { readonly request: Request; readonly ready: Promise<Backend> } | undefined;
let nativeLibrary: NativeLibrary | undefined;
let current: Backend | undefined;

/**
 * Chooses and starts the tensor backend of this process, best first: TensorFlow with CUDA, TensorFlow on the CPU,
 * WebAssembly; or the one asked for. Sets the environment variables that the library reads while it loads, so it has to run
 * before anything else imports `@tensorflow/tfjs-node-gpu` (nothing else does). tfjs has one engine a process: a second
 * call with the same options returns the same backend, one with other options is refused.
 *
 * @throws L2M_BACKEND_UNAVAILABLE if the backend asked for, or every one, cannot be loaded
 */
export function startBackend(options: BackendOptions = {}): Promise<Backend> {
  const request: Request = {
    backend: options.backend ?? 'auto',
    xla: options.xla ?? true,
    threadCount: options.threadCount ?? availableParallelism(),
    precision: options.precision ?? 'float32',
    graphCache: options.graphCache ?? GRAPH_CACHE,
  };
  if (started === undefined) {
    started = { request, ready: startRequested(request) };
    // A failed start changed nothing that another choice depends on: let the caller try one.
    started.ready.catch(() => (started = undefined));
    return started.ready;
  }
  if (JSON.stringify(started.request) === JSON.stringify(request)) return started.ready;
  const got = `this process already runs ${JSON.stringify(started.request)}, asked for ${JSON.stringify(request)}`;
  return Promise.reject(new L2mError('L2M_BACKEND_UNAVAILABLE', got, { hint: 'Start another process for it.' }));
}

/** @throws L2M_BACKEND_UNAVAILABLE if `startBackend` has not finished */
export function currentBackend(): Backend {
  if (current !== undefined) return current;
  throw new L2mError('L2M_BACKEND_UNAVAILABLE', 'none was started', { hint: 'Await startBackend() first.' });
}

/** The native library while TensorFlow is the backend. For `server/tensors` only. */
export function currentNativeLibrary(): NativeLibrary | undefined {
  return nativeLibrary;
}

/** One line for a person: `TensorFlow 2.21.0 on the CPU, captured graphs with XLA, 2 threads, float32`. */
export function describeBackend(backend: Backend): string {
  const device = { 'tensorflow-cuda': 'CUDA', 'tensorflow-cpu': 'the CPU', wasm: 'the CPU', javascript: 'the CPU' };
  const graphs = backend.capture ? `captured graphs ${backend.xla ? 'with' : 'without'} XLA` : 'no captured graphs';
  const threads = backend.threadCount === 1 ? '1 thread' : `${backend.threadCount} threads`;
  return `${backend.library} on ${device[backend.kind]}, ${graphs}, ${threads}, ${backend.precision}`;
}

async function startRequested(request: Request): Promise<Backend> {
  if (request.backend !== 'auto' && !BACKEND_KINDS.includes(request.backend)) {
    throw unknownNameError('L2M_BACKEND_UNAVAILABLE', request.backend, ['auto', ...BACKEND_KINDS]);
  }
  if (!Number.isInteger(request.threadCount) || request.threadCount < 1) {
    throw new L2mError(
      'L2M_BACKEND_UNAVAILABLE',
      `threadCount is ${request.threadCount}, it must be a whole number >= 1`,
    );
  }
  const graphCache = request.graphCache === false || !request.xla ? null : prepareGraphCache(request.graphCache);
  const environment = applyTensorEnvironment({ ...request, graphCache, gpu: request.backend !== 'tensorflow-cpu' });
  const kinds: readonly BackendKind[] =
    request.backend === 'auto' ? ['tensorflow-cuda', 'tensorflow-cpu', 'wasm'] : [request.backend];
  const fallbacks: Fallback[] = [];
  for (const kind of kinds) {
    try {
      const { native, ...loaded } = await load(kind, request);
      nativeLibrary = native;
      const state = loaded.capture ? environment : { xla: false, precision: 'float32' as const, graphCache: null };
      current = { ...loaded, ...state, fallbacks };
      return current;
    } catch (error) {
      fallbacks.push({ kind, reason: reasonOf(error) });
    }
  }
  const reasons = fallbacks.map(({ kind, reason }) => `${kind}: ${reason}`).join('; ');
  throw new L2mError('L2M_BACKEND_UNAVAILABLE', reasons);
}

function load(kind: BackendKind, request: Request): Promise<Loaded> {
  switch (kind) {
    case 'tensorflow-cuda':
    case 'tensorflow-cpu':
      return loadTensorflow(kind, request);
    case 'wasm':
      return loadWasm();
    case 'javascript':
      return loadJavascript();
  }
}

async function loadTensorflow(kind: 'tensorflow-cuda' | 'tensorflow-cpu', request: Request): Promise<Loaded> {
  await import(new URL('../setup/legacy-util.mjs', import.meta.url).href);
  await import('@tensorflow/tfjs-node-gpu');
  const backend: unknown = tf.findBackend('tensorflow');
  if (!isNativeBackend(backend)) throw new Error('the installed @tensorflow/tfjs-node-gpu is not version 4.22');
  const gpu = backend.binding.isUsingGpuDevice();
  if (kind === 'tensorflow-cuda' && !gpu) throw new Error('TensorFlow found no CUDA device');
  await activate('tensorflow');
  replaceNativeKernels();
  const messages = require('@tensorflow/tfjs-node-gpu/dist/proto/api_pb.js') as ProtocolBufferMessages;
  return {
    kind,
    library: `TensorFlow ${backend.binding.TF_Version}`,
    capture: true,
    threadCount: request.threadCount,
    native: { backend, messages },
  };
}

async function loadWasm(): Promise<Loaded> {
  const wasm = await import('@tensorflow/tfjs-backend-wasm');
  wasm.setWasmPaths(path.join(path.dirname(require.resolve('@tensorflow/tfjs-backend-wasm')), path.sep));
  await activate('wasm');
  replaceWasmKernels();
  return {
    kind: 'wasm',
    library: `WebAssembly (tfjs ${wasm.version_wasm})`,
    capture: false,
    threadCount: wasm.getThreadsCount(),
  };
}

async function loadJavascript(): Promise<Loaded> {
  const javascript = await import('@tensorflow/tfjs-backend-cpu');
  await activate('cpu');
  return { kind: 'javascript', library: `JavaScript (tfjs ${javascript.version_cpu})`, capture: false, threadCount: 1 };
}

async function activate(name: string): Promise<void> {
  // The gradients of all operations; TensorFlow's package brings them, the others do not.
  await import('@tensorflow/tfjs');
  // Production mode only silences advice printed to the console and costly self-checks.
  tf.enableProdMode();
  const ready = await tf.setBackend(name);
  if (!ready) throw new Error(`tfjs could not start its backend '${name}'`);
  await tf.ready();
}

function isNativeBackend(backend: unknown): backend is NativeKernelBackend {
  if (typeof backend !== 'object' || backend === null) return false;
  const methods = [
    'executeSingleOutput',
    'readSync',
    'read',
    'loadSavedModelMetaGraph',
    'runSavedModel',
    'deleteSavedModel',
  ];
  return 'binding' in backend && methods.every((name) => typeof Reflect.get(backend, name) === 'function');
}

/** The first line says what; the rest of the package's message is advice that does not fit here. */
function reasonOf(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  if (text.includes('native addon module')) return 'its native addon was not built at set-up';
  return text.split('\n')[0]!.trim();
}
