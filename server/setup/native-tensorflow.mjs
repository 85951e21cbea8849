import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { runCommand } from './command.mjs';
import { findCompiler, findNvidiaGpu } from './find-tools.mjs';
import { hashInputs } from './input-hash.mjs';
import { paths } from './paths.mjs';

/**
 * Native TensorFlow for `@tensorflow/tfjs-node-gpu`, without its download script: that script fetches an addon built for
 * TensorFlow 2.9 and CUDA 11.2. Here the C++ library comes out of PyPI's own wheel and the package's own binding is
 * compiled against it. Only the C++ side of the wheel is used, so one Python tag serves every interpreter.
 */
export const tensorflowVersion = '2.21.0';
const wheelPythonVersion = '3.12';
/** A fallback after a failure (no network, say) is not for ever. */
const retryAfterMs = 3_600_000;
const packageFolder = path.join(paths.nodeModules, '@tensorflow/tfjs-node-gpu');
const libraryFolder = path.join(paths.native, 'site/tensorflow');
const darwin = process.platform === 'darwin';
const libraries = darwin
  ? ['libtensorflow_cc.2.dylib', 'libtensorflow_framework.2.dylib']
  : ['libtensorflow_cc.so.2', 'libtensorflow_framework.so.2'];

/** Takes the libraries and headers out of the wheel, and says which NVIDIA packages it asks for. */
const unpackScript = `
import re, sys, zipfile
wheel, target, wanted = sys.argv[1], sys.argv[2], set(sys.argv[3:])
with zipfile.ZipFile(wheel) as archive:
    for name in archive.namelist():
        inside = name.removeprefix('tensorflow/')
        if inside in wanted or inside.startswith('include/'):
            archive.extract(name, target)
        if name.endswith('.dist-info/METADATA'):
            for line in archive.read(name).decode().splitlines():
                found = re.match(r'Requires-Dist: ([^;]+);.*extra == ["\\']and-cuda["\\']', line)
                if found:
                    print('and-cuda ' + re.sub(r'[() ]', '', found.group(1)))
`;

/** What is built on this machine: the wheel's name, and why not when nothing is. */
export function chooseTensorflow(environment = process.env) {
  const wish = environment['L2M_TENSORFLOW'] ?? 'auto';
  if (wish === 'wasm') return { kind: 'none', reason: 'L2M_TENSORFLOW=wasm asks for WebAssembly' };
  if (!['auto', 'cpu', 'cuda'].includes(wish))
    throw new Error(`L2M_TENSORFLOW is '${wish}': use auto, cpu, cuda or wasm.`);
  if (process.platform !== 'linux' && !darwin) return { kind: 'none', reason: `no recipe for ${process.platform}` };
  if (findCompiler(environment) === undefined) {
    return {
      kind: 'none',
      reason: `no C++ compiler found (${darwin ? 'xcode-select --install' : 'apt-get install g++'})`,
    };
  }
  if (
    wish === 'cuda' ||
    (wish === 'auto' && process.platform === 'linux' && findNvidiaGpu(environment) !== undefined)
  ) {
    return { kind: 'cuda', wheel: 'tensorflow' };
  }
  return {
    kind: 'cpu',
    wheel: process.platform === 'linux' && process.arch === 'x64' ? 'tensorflow-cpu' : 'tensorflow',
  };
}

/** @type {import('./stage.mjs').Stage} */
export const nativeTensorflow = {
  name: 'native TensorFlow',
  id: 'native-tensorflow',
  key: () => {
    const words = [JSON.stringify(chooseTensorflow()), tensorflowVersion, process.platform, process.arch];
    return hashInputs({ words, files: ['server/setup/native-tensorflow.mjs'] });
  },
  isIntact() {
    const state = readNativeState();
    if (state?.backend === 'wasm')
      return state.failedAt === undefined || Date.now() - Date.parse(state.failedAt) < retryAfterMs;
    return state !== undefined && isAddonInstalled();
  },
  async make(say) {
    const state = await buildNativeTensorflow({ python: paths.venvPython, say });
    return state.backend === 'native' ? `ready, ${state.reason}` : 'WebAssembly instead';
  },
  advice: 'set L2M_TENSORFLOW=wasm to do without it',
};

/** True when the addon this set-up compiled is also in its place in `node_modules` (a fresh `npm ci` removes it). */
function isAddonInstalled() {
  if (!existsSync(paths.nativeAddon) || !existsSync(paths.installedAddon)) return false;
  return (
    libraries.every((name) => existsSync(path.join(libraryFolder, name))) &&
    sameFile(paths.nativeAddon, paths.installedAddon)
  );
}

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
export async function buildNativeTensorflow(context) {
  mkdirSync(paths.native, { recursive: true });
  const choice = chooseTensorflow();
  if (choice.kind === 'none') return fallBack({ reason: choice.reason }, context);
  try {
    await fetchLibraries(choice, context);
    await compileAddon(choice, context);
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

async function fetchLibraries(choice, context) {
  const marker = path.join(libraryFolder, 'unpacked.json');
  const wanted = JSON.stringify({ wheel: choice.wheel, version: tensorflowVersion, kind: choice.kind });
  if (existsSync(marker) && readFileSync(marker, 'utf8') === wanted) return;
  const requirement = `${choice.wheel}==${tensorflowVersion}`;
  const downloads = path.join(paths.native, 'download');
  mkdirSync(downloads, { recursive: true });
  context.say(`fetching ${requirement} from PyPI`);
  const fetchOptions = [
    '--no-deps',
    '--only-binary=:all:',
    '--python-version',
    wheelPythonVersion,
    '--dest',
    downloads,
  ];
  await pip(['download', '--progress-bar', 'off', ...fetchOptions, requirement], context);
  const wheel = readdirSync(downloads).find((name) => name.startsWith(`${choice.wheel.replace('-', '_')}-`));
  if (wheel === undefined) throw new Error('pip left no wheel behind');
  context.say('unpacking the libraries and headers');
  // `site` is laid out as site-packages, because the libraries look for CUDA at ../nvidia relative to themselves.
  const site = path.join(paths.native, 'site');
  const partial = `${site}.partial`;
  rmSync(partial, { recursive: true, force: true });
  mkdirSync(partial, { recursive: true });
  const unpacked = await runCommand(
    context.python,
    ['-c', unpackScript, path.join(downloads, wheel), partial, ...libraries],
    { log: 'native-tensorflow' },
  );
  if (choice.kind === 'cuda') {
    const nvidia = unpacked
      .filter((line) => line.startsWith('and-cuda '))
      .map((line) => line.slice('and-cuda '.length));
    context.say(`fetching ${nvidia.length} CUDA packages (about 3 GB)`);
    await pip(['install', '--no-deps', '--target', partial, ...nvidia], context);
  }
  rmSync(site, { recursive: true, force: true });
  renameSync(partial, site);
  writeFileSync(marker, wanted);
  rmSync(downloads, { recursive: true, force: true });
}

function pip(args, context) {
  return runCommand(context.python, ['-m', 'pip', '--disable-pip-version-check', '--no-input', ...args], {
    log: 'native-tensorflow',
  });
}

async function compileAddon(choice, context) {
  const compiler = findCompiler();
  context.say(`compiling the Node addon with ${path.basename(compiler)}`);
  const partial = `${paths.nativeAddon}.partial`;
  const binding = path.join(packageFolder, 'binding');
  // Relative to the addon's place under node_modules, so that a moved or copied checkout still works.
  const relative = path.relative(path.dirname(paths.installedAddon), libraryFolder);
  const platform = darwin
    ? ['-bundle', '-undefined', 'dynamic_lookup', `-Wl,-rpath,@loader_path/${relative}`, `-Wl,-rpath,${libraryFolder}`]
    : ['-shared', `-Wl,-rpath,$ORIGIN/${relative}:${libraryFolder}`];
  await runCommand(
    compiler,
    [
      '-std=c++17', '-O2', '-fPIC', '-w', '-DNAPI_VERSION=8',
      '-I', path.join(paths.nodeModules, 'node-api-headers/include'),
      '-I', path.join(libraryFolder, 'include'),
      '-I', packageFolder,
      path.join(binding, 'tfjs_backend.cc'),
      path.join(binding, 'tfjs_binding.cc'),
      ...platform,
      ...libraries.map((name) => path.join(libraryFolder, name)),
      '-o', partial,
    ],
    { log: 'native-tensorflow' },
  ); // prettier-ignore
  renameSync(partial, paths.nativeAddon);
  mkdirSync(path.dirname(paths.installedAddon), { recursive: true });
  // Renamed into place: a running process may have the old one mapped.
  copyFileSync(paths.nativeAddon, `${paths.installedAddon}.partial`);
  renameSync(`${paths.installedAddon}.partial`, paths.installedAddon);
}

const checkScript = `
const tf = require('@tensorflow/tfjs-node-gpu');
const product = tf.matMul([[1, 2], [3, 4]], [[5, 6], [7, 8]]).dataSync();
if (Array.from(product).join() !== '19,22,43,50') throw new Error('matMul gives ' + product);
console.log('TensorFlow ' + tf.backend().binding.TF_Version);
`;

async function checkAddon(context) {
  context.say('multiplying two matrices with it');
  const legacyUtil = pathToFileURL(path.join(paths.root, 'server/setup/legacy-util.mjs')).href;
  await runCommand(process.execPath, ['--import', legacyUtil, '-e', checkScript], {
    log: 'native-tensorflow',
    env: { TF_CPP_MIN_LOG_LEVEL: '2' },
  });
}

function sameFile(left, right) {
  const [a, b] = [statSync(left), statSync(right)];
  return a.size === b.size && b.mtimeMs >= a.mtimeMs;
}
