import { Type, type Static } from 'typebox';
import { WIRE_LIMITS } from './limits.ts';

/** Item sizes of the allowed data types, in bytes. Anything else on the wire is refused. */
export const ITEM_BYTES = {
  float32: 4,
  float64: 8,
  int32: 4,
  uint32: 4,
  uint16: 2,
  uint8: 1,
} as const;

export type DataType = keyof typeof ITEM_BYTES;

/** Describes a tensor whose bytes travel in frame number `frame` (0 is the first frame after the header). Little-endian, row-major. */
export const TensorSchema = Type.Object(
  {
    dtype: Type.Union([
      Type.Literal('float32'),
      Type.Literal('float64'),
      Type.Literal('int32'),
      Type.Literal('uint32'),
      Type.Literal('uint16'),
      Type.Literal('uint8'),
    ]),
    shape: Type.Array(Type.Integer({ minimum: 0, maximum: 0x7fffffff }), { maxItems: WIRE_LIMITS.tensorRank }),
    frame: Type.Integer({ minimum: 0, maximum: WIRE_LIMITS.tensorCount - 1 }),
  },
  { additionalProperties: false, $id: 'Tensor' },
);

export type TensorHeader = Static<typeof TensorSchema>;

export type TensorData = Float32Array | Float64Array | Int32Array | Uint32Array | Uint16Array | Uint8Array;

const CONSTRUCTORS = {
  float32: Float32Array,
  float64: Float64Array,
  int32: Int32Array,
  uint32: Uint32Array,
  uint16: Uint16Array,
  uint8: Uint8Array,
} as const;

interface DataOf {
  float32: Float32Array;
  float64: Float64Array;
  int32: Int32Array;
  uint32: Uint32Array;
  uint16: Uint16Array;
  uint8: Uint8Array;
}

export function elementCount(shape: readonly number[]): number {
  return shape.reduce((product, size) => product * size, 1);
}

/**
 * A typed view of a tensor's bytes; copies only if the frame is not aligned to the item size.
 * @throws RangeError if `header.dtype` is not `dtype` or the frame is missing; the decoders of codec.ts have checked lengths before
 */
export function tensorView<D extends DataType>(
  header: TensorHeader,
  frames: readonly Uint8Array[],
  dtype: D,
): DataOf[D] {
  const bytes = frames[header.frame];
  if (header.dtype !== dtype || bytes === undefined) {
    throw new RangeError(`expected a ${dtype} tensor in frame ${header.frame}, got ${header.dtype}`);
  }
  const itemBytes = ITEM_BYTES[dtype];
  // Not `slice`: on a Node Buffer that gives another view of the same unaligned bytes.
  const aligned = bytes.byteOffset % itemBytes === 0 ? bytes : new Uint8Array(bytes);
  const Constructor = CONSTRUCTORS[dtype] as unknown as new (b: ArrayBufferLike, o: number, n: number) => DataOf[D];
  return new Constructor(aligned.buffer, aligned.byteOffset, aligned.byteLength / itemBytes);
}

/** Collects tensors into frames while a message is being built. */
export class TensorFrames {
  readonly frames: Uint8Array[] = [];

  /** Adds `data` as the next frame without copying; the caller must not change it until the message is sent. */
  add(data: TensorData, shape: readonly number[]): TensorHeader {
    if (elementCount(shape) !== data.length) {
      throw new RangeError(`shape [${shape.join(', ')}] needs ${elementCount(shape)} items, got ${data.length}`);
    }
    this.frames.push(new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
    return { dtype: dtypeOf(data), shape: [...shape], frame: this.frames.length - 1 };
  }
}

function dtypeOf(data: TensorData): DataType {
  if (data instanceof Float32Array) return 'float32';
  if (data instanceof Float64Array) return 'float64';
  if (data instanceof Int32Array) return 'int32';
  if (data instanceof Uint32Array) return 'uint32';
  if (data instanceof Uint16Array) return 'uint16';
  return 'uint8';
}
