import type { WeightArrays } from '../checkpoints/weights-file.ts';

interface WeightArray {
  readonly shape: readonly number[];
  readonly data: Float32Array;
}

/** Arrays of some names, in their order. @throws RangeError if one is not there */
export function pickArrays(arrays: WeightArrays, names: Iterable<string>): Map<string, WeightArray> {
  return new Map(Array.from(names, (name) => [name, arrayNamed(arrays, name)] as const));
}

/** @throws RangeError if it is not there */
export function arrayNamed(arrays: WeightArrays, name: string): WeightArray {
  const found = arrays.get(name);
  if (found === undefined) throw new RangeError(`no weight called ${name}`);
  return found;
}
