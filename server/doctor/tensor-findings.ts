import { fileURLToPath } from 'node:url';
import type { Backend, BackendOptions } from '../tensors/backend.ts';
import { findCompiler, findNvidiaGpu } from '../setup/find-tools.mjs';
import { readNativeState } from '../setup/native-tensorflow.mjs';
import { askProgram } from './ask-program.ts';
import { good, missing, warning, type Finding } from './finding.ts';

const PROBE = fileURLToPath(new URL('backend-probe.ts', import.meta.url));

/** What set-up recorded, see server/setup/native-tensorflow.mjs. */
export interface NativeState {
  readonly backend: 'native' | 'wasm';
  readonly reason: string;
  readonly tensorflowVersion: string | null;
}

/** Compiler, GPU, the native library and the backend that really starts. Takes seconds: the backend is loaded in a process of its own. */
export async function tensorFindings(options: BackendOptions): Promise<readonly Finding[]> {
  const gpu = await gpuFinding();
  const state = readNativeState();
  return [
    compilerFinding(state),
    gpu,
    judgeNative(state),
    await backendFinding(options, gpu.state === 'good' && gpu.detail !== 'none'),
  ];
}

function compilerFinding(state: NativeState | undefined): Finding {
  const compiler = findCompiler();
  if (compiler !== undefined) return good('C++ compiler', compiler);
  if (state?.backend === 'native') return good('C++ compiler', 'none, and none is needed: native TensorFlow is built');
  return warning(
    'C++ compiler',
    'none',
    'Install one (Debian: apt-get install g++; macOS: xcode-select --install), then `npm run setup`.',
  );
}

async function gpuFinding(): Promise<Finding> {
  const tool = findNvidiaGpu();
  if (tool === undefined) return good('GPU', 'none');
  const answer = await askProgram(tool, ['--query-gpu=name,memory.total,driver_version', '--format=csv,noheader']);
  if (answer.ok) return good('GPU', answer.text.split('\n').join('; '));
  return warning('GPU', `its driver does not answer: ${answer.reason}`, 'Check the NVIDIA driver with `nvidia-smi`.');
}

export function judgeNative(state: NativeState | undefined): Finding {
  if (state === undefined) return warning('native TensorFlow', 'set-up has not run', 'Run `npm run setup`.');
  if (state.backend === 'native') return good('native TensorFlow', state.reason);
  return warning('native TensorFlow', `not built: ${state.reason}`, 'Put that right, then `npm run setup -- --again`.');
}

async function backendFinding(options: BackendOptions, hasGpu: boolean): Promise<Finding> {
  const answer = await askProgram(process.execPath, [
    '--import',
    import.meta.resolve('tsx'),
    PROBE,
    JSON.stringify(options),
  ]);
  if (!answer.ok)
    return missing(
      'tensor backend',
      answer.reason,
      'Run `npm run setup -- --again`; L2M_BACKEND=wasm does without native code.',
    );
  // A library may have written to the same stream before it.
  const last = answer.text.split('\n').at(-1) ?? '';
  return judgeBackend(JSON.parse(last) as BackendDescription, hasGpu);
}

export type BackendDescription = Pick<Backend, 'kind' | 'fallbacks'> & { readonly text: string };

/** @param hasGpu a GPU that is there and not used is worth a warning; one that is not there is not */
export function judgeBackend(backend: BackendDescription, hasGpu: boolean): Finding {
  const [best] = backend.fallbacks.filter((fallback) => fallback.kind !== 'tensorflow-cuda' || hasGpu);
  if (best === undefined) return good('tensor backend', backend.text);
  const detail = `${backend.text}; ${best.kind} would be faster: ${best.reason}`;
  return warning('tensor backend', detail, 'Run `npm run setup -- --again` and see what it says of native TensorFlow.');
}
