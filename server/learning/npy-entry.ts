import type { ZipArchive } from '../checkpoints/zip-archive.ts';
import { L2mError } from '../errors.ts';

/** An array inside an .npz file, as its header describes it. Only plain numbers in row-major order are read. */
export interface NpyEntry {
  readonly archive: ZipArchive;
  /** Name of the zip entry, `actions.npy`. */
  readonly name: string;
  readonly type: NpyType;
  readonly shape: readonly number[];
  /** Bytes before the first element. */
  readonly dataBegin: number;
}

const TYPES = {
  '<f4': { bytes: 4, read: (view: DataView, at: number) => view.getFloat32(at, true) },
  '<f8': { bytes: 8, read: (view: DataView, at: number) => view.getFloat64(at, true) },
  '<i4': { bytes: 4, read: (view: DataView, at: number) => view.getInt32(at, true) },
  '<i8': { bytes: 8, read: (view: DataView, at: number) => Number(view.getBigInt64(at, true)) },
  '|i1': { bytes: 1, read: (view: DataView, at: number) => view.getInt8(at) },
  '|u1': { bytes: 1, read: (view: DataView, at: number) => view.getUint8(at) },
  '|b1': { bytes: 1, read: (view: DataView, at: number) => view.getUint8(at) },
} as const;
type NpyType = keyof typeof TYPES;

const HEADER_LIMIT_BYTES = 65_536;
const HEADER =
  /^\{'descr': '([^']{1,16})', 'fortran_order': (True|False), 'shape': \(((?:\d{1,15}, ?)*\d{0,15},?)\), ?\}\s*$/;

/**
 * Reads the header of an array; undefined if the file has none of that name.
 * @throws L2mError L2M_DATA_INVALID for Python objects (which would be a pickle), column-major order, or a size that does not fit
 */
export async function npyEntry(archive: ZipArchive, key: string): Promise<NpyEntry | undefined> {
  const name = `${key}.npy`;
  const size = archive.sizeOf(name);
  if (size === undefined) return undefined;
  const start = await firstBytes(archive, name, HEADER_LIMIT_BYTES);
  if (start.toString('latin1', 0, 6) !== '\x93NUMPY') throw invalid(archive, `${name} is no NumPy array`);
  const lengthBytes = start[6] === 1 ? 2 : 4;
  const dataBegin = 8 + lengthBytes + (lengthBytes === 2 ? start.readUInt16LE(8) : start.readUInt32LE(8));
  const text = start.toString('latin1', 8 + lengthBytes, dataBegin);
  const [, descr = '', fortran, shapeText = ''] = HEADER.exec(text) ?? [];
  if (!Object.hasOwn(TYPES, descr)) throw invalid(archive, `${name} holds ${descr || 'an unknown kind of data'}`);
  const shape = shapeText.split(',').flatMap((part) => (part.trim() === '' ? [] : [Number(part)]));
  if (fortran !== 'False' && shape.length > 1) throw invalid(archive, `${name} is stored column by column`);
  const type = descr as NpyType;
  const bytes = dataBegin + shape.reduce((product, length) => product * length, TYPES[type].bytes);
  if (bytes !== size) throw invalid(archive, `${name} of shape [${shape.join(', ')}] has ${size} bytes, not ${bytes}`);
  return { archive, name, type, shape, dataBegin };
}

export interface RowsOptions {
  /** Numbers of one row as they lie in the file. */
  readonly width: number;
  /** Which of them are kept, and in what order; all if absent. */
  readonly columns?: Int32Array;
  /** Called for a number other than 0 in a column that is not kept. */
  readonly onLost?: (column: number) => void;
}

/** All rows of an array as float32, one row at a time in memory beside the result: [rows, kept columns]. */
export async function readRows(entry: NpyEntry, { width, columns, onLost }: RowsOptions): Promise<Float32Array> {
  const { bytes: itemBytes, read } = TYPES[entry.type];
  const rows = entry.shape.reduce((product, length) => product * length, 1) / width;
  const kept = columns ?? Int32Array.from({ length: width }, (_, i) => i);
  const lost = onLost === undefined ? [] : notIn(kept, width);
  const result = new Float32Array(rows * kept.length);
  const rowBytes = width * itemBytes;
  let row = 0;
  let rest = Buffer.alloc(0);
  let skip = entry.dataBegin;
  for await (const piece of entry.archive.pieces(entry.name)) {
    const skipped = Math.min(skip, piece.byteLength);
    skip -= skipped;
    const bytes = rest.byteLength === 0 ? piece.subarray(skipped) : Buffer.concat([rest, piece.subarray(skipped)]);
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    let at = 0;
    for (; at + rowBytes <= bytes.byteLength; at += rowBytes) {
      for (let i = 0; i < kept.length; i++) {
        result[row * kept.length + i] = read(view, at + (kept[i] ?? 0) * itemBytes);
      }
      for (const column of lost) if (read(view, at + column * itemBytes) !== 0) onLost?.(column);
      row++;
    }
    rest = Buffer.from(bytes.subarray(at));
  }
  return result;
}

function notIn(columns: Int32Array, width: number): number[] {
  const kept = new Set(columns);
  return Array.from({ length: width }, (_, i) => i).filter((i) => !kept.has(i));
}

/** The beginning of an entry; the rest is not unpacked. */
async function firstBytes(archive: ZipArchive, name: string, count: number): Promise<Buffer> {
  const parts: Buffer[] = [];
  let length = 0;
  for await (const piece of archive.pieces(name)) {
    parts.push(piece);
    length += piece.byteLength;
    if (length >= count) break;
  }
  const start = Buffer.concat(parts);
  if (start.byteLength < 12) throw invalid(archive, `${name} has ${start.byteLength} bytes`);
  return start.subarray(0, count);
}

function invalid(archive: ZipArchive, got: string): L2mError {
  return new L2mError('L2M_DATA_INVALID', `${archive.where}: ${got}`, {
    hint: 'Arrays of plain numbers, saved by numpy.savez in row-major order, can be imported.',
  });
}
