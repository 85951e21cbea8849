import { createHash } from 'node:crypto';
import type { NamedArray } from '../../agent/weights/safetensors.ts';
import { HALF_MAXIMUM, floatFromHalf, halfFromFloat } from './half-precision.ts';
import { encodeTensorFileHeader, openDataFile, readExactly, readTensorFileHeader } from './tensor-file.ts';
import type { TensorFileEntry } from './tensor-file.ts';
import { invalidCheckpoint, type WeightStorage } from './manifest.ts';

/** Weights by the reference's names, as plain float32 arrays. */
export type WeightArrays = ReadonlyMap<string, { readonly shape: readonly number[]; readonly data: Float32Array }>;

/**
 * The bytes of a weights file. Sorted by name, so that equal weights give an equal file and hash.
 * @throws L2mError L2M_CHECKPOINT_INVALID for a weight that is not finite or, in float16, too large
 */
export function encodeWeights(weights: WeightArrays, storage: WeightStorage): Uint8Array {
  const sorted = [...weights].sort(([a], [b]) => (a < b ? -1 : 1));
  const limit = storage === 'float16' ? HALF_MAXIMUM : Number.MAX_VALUE;
  const entries = new Map<string, TensorFileEntry>();
  const parts: Uint8Array[] = [];
  for (const [name, { shape, data }] of sorted) {
    const bad = data.find((value) => !(Math.abs(value) <= limit));
    if (bad !== undefined) throw invalidCheckpoint(name, `the weight ${bad} cannot be kept as ${storage}`);
    entries.set(name, { dtype: storage === 'float16' ? 'F16' : 'F32', shape });
    const kept = storage === 'float16' ? halfFromFloat(data) : data;
    parts.push(new Uint8Array(kept.buffer, kept.byteOffset, kept.byteLength));
  }
  return Buffer.concat([encodeTensorFileHeader(entries, { format: 'pt' }), ...parts]);
}

/**
 * Reads a weights file; float16 becomes float32.
 * @throws L2mError L2M_CHECKPOINT_INVALID for anything but a whole file of finite numbers
 */
export async function readWeights(path: string): Promise<{ weights: Map<string, NamedArray>; sha256: string }> {
  const file = await openDataFile(path, 'L2M_CHECKPOINT_INVALID');
  try {
    const header = await readTensorFileHeader(file);
    const bytes = await readExactly(file, 0, header.fileBytes);
    const weights = new Map<string, NamedArray>();
    for (const [name, { dtype, shape, begin, byteLength }] of header.tensors) {
      const own = bytes.buffer.slice(begin, begin + byteLength) as ArrayBuffer;
      const data = dtype === 'F16' ? floatFromHalf(new Uint16Array(own)) : new Float32Array(own);
      if (dtype !== 'F16' && dtype !== 'F32') throw invalidCheckpoint(path, `${name} holds ${dtype}`);
      if (!data.every(Number.isFinite)) throw invalidCheckpoint(path, `${name} holds numbers that are not finite`);
      weights.set(name, { dtype: 'F32', shape, data });
    }
    return { weights, sha256: sha256Of(bytes) };
  } finally {
    await file.handle.close();
  }
}

export function sha256Of(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}
