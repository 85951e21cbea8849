import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { hashInputs } from './input-hash.mjs';
import { paths } from './paths.mjs';
import { checkAddon, compileAddon, forgetAddon, installAddon, isAddonInstalled } from './tensorflow-addon.mjs';
import { chooseTensorflow, fetchLibraries, tensorflowVersion } from './tensorflow-wheel.mjs';

/** A fallback after a failure (no network, say) is not for ever. */
const retryAfterMs = 3_600_000;

/**
 * Native TensorFlow for `@tensorflow/tfjs-node-gpu`, without its download script: that script fetches an addon built for
 * TensorFlow 2.9 and CUDA 11.2. Here the C++ library comes out of PyPI's own wheel and the package's own binding is
 * compiled against it.
 *
 * @type {import('./stage.mjs').Stage}
 */
export const nativeTensorflow = {
  name: 'native TensorFlow',
  id: 'native-tensorflow',
  key: () => {
    const words = [JSON.stringify(chooseTensorflow()), tensorflowVersion, process.platform, process.arch];
    return hashInputs({ words, files: ['server/setup/tensorflow-addon.mjs', 'server/setup/tensorflow-wheel.mjs'] });
  },
  isIntact() {
    const state = readNativeState();
    if (state?.backend === 'wasm')
      return state.failedAt === undefined || Date.now() - Date.parse(state.failedAt) < retryAfterMs;
    return state !== undefined && isAddonInstalled();
  },
  async make(say, again) {
    if (again) forgetAddon();
    const state = await buildNativeTensorflow({ python: paths.venvPython, say });
    return state.backend === 'native' ? `ready, ${state.reason}` : 'WebAssembly instead';
  },
  advice: 'set L2M_TENSORFLOW=wasm to do without it',
};

/**
 * What the last set-up found; undefined before the first.
 *
 * @returns {{ backend: 'native' | 'wasm', reason: string, tensorflowVersion: string | null, wheel: string | null, failedAt?: string } | undefined}
 */
export function readNativeState() {
  try {
    return JSON.parse(readFileSync(paths.nativeState, 'utf8'));
  } catch {
    return undefined;
  }
}

/**
 * Builds and installs the addon, or records the fallback.
 *
 * @param {{ python: string, say: (line: string) => void }} context an interpreter that has pip; where progress goes
 * @returns {Promise<{ backend: 'native' | 'wasm', reason: string, tensorflowVersion: string | null, wheel: string | null }>}
 */
async function buildNativeTensorflow(context) {
  mkdirSync(paths.native, { recursive: true });
  const choice = chooseTensorflow();
  if (choice.kind === 'none') return fallBack({ reason: choice.reason }, context);
  try {
    await fetchLibraries(choice, context);
    await compileAddon(choice, context);
    installAddon();
    await checkAddon(context);
  } catch (error) {
    const reason = `${choice.wheel} ${tensorflowVersion} could not be built: ${error.message.split('\n')[0]}`;
    context.say(error.message);
    return fallBack({ reason, failedAt: new Date().toISOString() }, context);
  }
  return record({
    backend: 'native',
    reason: `${choice.wheel} ${tensorflowVersion} from PyPI`,
    tensorflowVersion,
    wheel: choice.wheel,
  });
}

function fallBack(why, context) {
  context.say(`WebAssembly will be used, about 12 times slower: ${why.reason}`);
  return record({ backend: 'wasm', ...why, tensorflowVersion: null, wheel: null });
}

function record(state) {
  writeFileSync(paths.nativeState, `${JSON.stringify(state, null, 2)}\n`);
  return state;
}
