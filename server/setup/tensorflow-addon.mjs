import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { runCommand } from './command.mjs';
import { findCompiler } from './find-tools.mjs';
import { hashInputs } from './input-hash.mjs';
import { paths } from './paths.mjs';
import { libraries, libraryFolder, tensorflowVersion } from './tensorflow-wheel.mjs';

const packageFolder = path.join(paths.nodeModules, '@tensorflow/tfjs-node-gpu');
const keyFile = `${paths.nativeAddon}.key`;

/** The addon outlives `npm ci`; it is compiled again only when what it is made of changed. */
export async function compileAddon(choice, context) {
  const key = hashInputs({
    words: [JSON.stringify(choice), tensorflowVersion, process.platform, process.arch, paths.root],
    folders: ['node_modules/@tensorflow/tfjs-node-gpu/binding', 'node_modules/node-api-headers/include'],
  });
  if (existsSync(paths.nativeAddon) && existsSync(keyFile) && readFileSync(keyFile, 'utf8') === key) return;
  const compiler = findCompiler();
  context.say(`compiling the Node addon with ${path.basename(compiler)}`);
  const partial = `${paths.nativeAddon}.partial`;
  const binding = path.join(packageFolder, 'binding');
  // Relative to the addon's place under node_modules, so that a moved or copied checkout still works.
  const relative = path.relative(path.dirname(paths.installedAddon), libraryFolder);
  const platform =
    process.platform === 'darwin'
      ? [
          '-bundle',
          '-undefined',
          'dynamic_lookup',
          `-Wl,-rpath,@loader_path/${relative}`,
          `-Wl,-rpath,${libraryFolder}`,
        ]
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
      ...libraries,
      '-o', partial,
    ],
    { log: 'native-tensorflow' },
  ); // prettier-ignore
  renameSync(partial, paths.nativeAddon);
  writeFileSync(keyFile, key);
}

/** The next build compiles again. */
export function forgetAddon() {
  rmSync(keyFile, { force: true });
}

export function installAddon() {
  mkdirSync(path.dirname(paths.installedAddon), { recursive: true });
  // Renamed into place: a running process may have the old one mapped.
  copyFileSync(paths.nativeAddon, `${paths.installedAddon}.partial`);
  renameSync(`${paths.installedAddon}.partial`, paths.installedAddon);
}

/** True when the addon this set-up compiled is also in its place in `node_modules` (a fresh `npm ci` removes it). */
export function isAddonInstalled() {
  if (!existsSync(paths.nativeAddon) || !existsSync(paths.installedAddon)) return false;
  return libraries.every((library) => existsSync(library)) && sameFile(paths.nativeAddon, paths.installedAddon);
}

const checkScript = `
const tf = require('@tensorflow/tfjs-node-gpu');
const product = tf.matMul([[1, 2], [3, 4]], [[5, 6], [7, 8]]).dataSync();
if (Array.from(product).join() !== '19,22,43,50') throw new Error('matMul gives ' + product);
console.log('TensorFlow ' + tf.backend().binding.TF_Version);
`;

/** Loads the addon in a process of its own, for it may abort, and computes something. */
export async function checkAddon(context) {
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
