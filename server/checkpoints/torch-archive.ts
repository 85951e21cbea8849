import { invalidCheckpoint } from './manifest.ts';
import { floatFromHalf } from './half-precision.ts';
import { torchStateDictionary, type TorchTensor } from './torch-pickle.ts';
import type { ZipArchive } from './zip-archive.ts';

/** A pickle of tensor names; the bytes of the tensors lie beside it. */
const PICKLE_LIMIT_BYTES = 64 * 1024 * 1024;
/** The largest single tensor of the paper's largest model is far below. */
const STORAGE_LIMIT_BYTES = 2 ** 31 - 1;

/** A state dictionary as PyTorch 1.6 and later save it: a zip with a pickle of names and one entry for every storage (spec §7.3). */
export interface TorchArchive {
  readonly tensors: ReadonlyMap<string, TorchTensor>;
  /** Names of entries that are no tensors. */
  readonly others: readonly string[];
  /** Elements in row-major order as float32; undefined for types that are no real numbers of floating point. */
  readFloats(tensor: TorchTensor): Promise<Float32Array | undefined>;
}

/** @throws L2mError L2M_CHECKPOINT_INVALID */
export async function openTorchArchive(zip: ZipArchive): Promise<TorchArchive> {
  const pickles = zip.names.filter((name) => /^[^/]+\/data\.pkl$/.test(name));
  const [pickleName] = pickles;
  if (pickleName === undefined || pickles.length > 1) {
    throw invalidCheckpoint(zip.where, `it has ${pickles.length} entries */data.pkl instead of one`);
  }
  const folder = pickleName.slice(0, -'data.pkl'.length);
  await checkByteOrder(zip, folder);
  const { tensors, others } = torchStateDictionary(await zip.read(pickleName, PICKLE_LIMIT_BYTES), zip.where);
  return {
    tensors,
    others,
    readFloats: async (tensor) => {
      const { storage } = tensor;
      if (!isFloating(storage.type)) return undefined;
      const entry = `${folder}data/${storage.key}`;
      const size = zip.sizeOf(entry);
      const wanted = storage.count * storage.itemBytes;
      if (size !== wanted)
        throw invalidCheckpoint(zip.where, `${entry} has ${size ?? 'no'} bytes instead of ${wanted}`);
      const bytes = await zip.read(entry, STORAGE_LIMIT_BYTES);
      return picked(floatsOf(bytes, storage.type), tensor);
    },
  };
}

async function checkByteOrder(zip: ZipArchive, folder: string): Promise<void> {
  if (zip.sizeOf(`${folder}byteorder`) === undefined) return;
  const order = (await zip.read(`${folder}byteorder`, 64)).toString('latin1');
  if (order !== 'little') throw invalidCheckpoint(zip.where, `its byte order is ${JSON.stringify(order)}, not little`);
}

type FloatingType = 'float32' | 'float64' | 'float16' | 'bfloat16';

function isFloating(type: TorchTensor['storage']['type']): type is FloatingType {
  return type === 'float32' || type === 'float64' || type === 'float16' || type === 'bfloat16';
}

function floatsOf(bytes: Buffer, type: FloatingType): Float32Array {
  const aligned = bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength) as ArrayBuffer;
  switch (type) {
    case 'float32':
      return new Float32Array(aligned);
    case 'float64':
      return Float32Array.from(new Float64Array(aligned));
    case 'float16':
      return floatFromHalf(new Uint16Array(aligned));
    case 'bfloat16':
      // The upper half of a float32.
      return new Float32Array(Uint32Array.from(new Uint16Array(aligned), (half) => half * 0x10000).buffer);
  }
}

/** Elements of a view in row-major order. */
function picked(all: Float32Array, { offset, shape, strides }: TorchTensor): Float32Array {
  const count = shape.reduce((product, length) => product * length, 1);
  if (isRowMajor(shape, strides)) return all.slice(offset, offset + count);
  const result = new Float32Array(count);
  const index = shape.map(() => 0);
  let at = offset;
  for (let i = 0; i < count; i++) {
    result[i] = all[at] ?? 0;
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      const stride = strides[axis] ?? 0;
      at += stride;
      index[axis] = (index[axis] ?? 0) + 1;
      if ((index[axis] ?? 0) < (shape[axis] ?? 0)) break;
      at -= stride * (shape[axis] ?? 0);
      index[axis] = 0;
    }
  }
  return result;
}

function isRowMajor(shape: readonly number[], strides: readonly number[]): boolean {
  let step = 1;
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    const length = shape[axis] ?? 0;
    if (length !== 1 && strides[axis] !== step) return false;
    step *= length;
  }
  return true;
}
