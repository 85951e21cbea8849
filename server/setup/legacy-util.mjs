import util from 'node:util';

/**
 * `@tensorflow/tfjs-node-gpu` 4.22 calls `util.isNullOrUndefined` and `util.isArray`, which Node 23 removed. Import this
 * file before the package; on older Nodes it only silences their deprecation warnings.
 */
const legacy = {
  isNullOrUndefined: (value) => value === null || value === undefined,
  isArray: Array.isArray,
};

for (const [name, implementation] of Object.entries(legacy)) {
  Object.defineProperty(util, name, { value: implementation, configurable: true, writable: true, enumerable: true });
}
