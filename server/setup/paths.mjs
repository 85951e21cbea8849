import { fileURLToPath } from 'node:url';
import path from 'node:path';

/** The checkout this file belongs to: everything set-up makes lives under its `.l2m`, except `node_modules`. */
const root = fileURLToPath(new URL('../..', import.meta.url));

const made = path.join(root, '.l2m');
const virtualEnvironment = path.join(made, 'venv');
const native = path.join(made, 'native');
const windows = process.platform === 'win32';

export const paths = {
  root,
  made,
  stamps: path.join(made, 'stamps'),
  logs: path.join(made, 'logs'),
  lock: path.join(made, 'setup.lock'),
  nodeModules: path.join(root, 'node_modules'),
  venv: virtualEnvironment,
  venvPython: path.join(virtualEnvironment, windows ? 'Scripts/python.exe' : 'bin/python'),
  native,
  nativeState: path.join(native, 'state.json'),
  nativeAddon: path.join(native, 'tfjs_binding.node'),
  /** Where `@tensorflow/tfjs-node-gpu` looks for its addon: N-API 8 is the highest version its package.json names. */
  installedAddon: path.join(root, 'node_modules/@tensorflow/tfjs-node-gpu/lib/napi-v8/tfjs_binding.node'),
};
