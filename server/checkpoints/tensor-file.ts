import { open, type FileHandle } from 'node:fs/promises';
import type { ErrorCode } from '../../protocol/error-codes.ts';
import { L2mError } from '../errors.ts';

/** Item sizes of the safetensors types that our files use, in bytes. */
const ITEM_BYTES = { F32: 4, I32: 4, F16: 2, U8: 1 } as const;
export type TensorFileType = keyof typeof ITEM_BYTES;

/** A safetensors header is text; ours are a few kilobytes, and a damaged length must not make us allocate gigabytes. */
const HEADER_LIMIT_BYTES = 16 * 1024 * 1024;

export interface TensorFileEntry {
  readonly dtype: TensorFileType;
  readonly shape: readonly number[];
}

export interface PlacedTensor extends TensorFileEntry {
  /** Position of the first byte in the file. */
  readonly begin: number;
  readonly byteLength: number;
}

export interface TensorFileHeader {
  readonly metadata: Readonly<Record<string, string>>;
  readonly tensors: ReadonlyMap<string, PlacedTensor>;
  /** Position of the first tensor byte. */
  readonly dataBegin: number;
  readonly fileBytes: number;
}

export function byteLengthOf(entry: TensorFileEntry): number {
  return entry.shape.reduce((product, size) => product * size, ITEM_BYTES[entry.dtype]);
}

/** The leading bytes of a safetensors file whose tensors follow in the order given, without gaps. Padded to 8 bytes. */
export function encodeTensorFileHeader(
  tensors: ReadonlyMap<string, TensorFileEntry>,
  metadata: Readonly<Record<string, string>>,
): Buffer {
  const header: Record<string, unknown> = { __metadata__: metadata };
  let begin = 0;
  for (const [name, entry] of tensors) {
    const end = begin + byteLengthOf(entry);
    header[name] = { dtype: entry.dtype, shape: entry.shape, data_offsets: [begin, end] };
    begin = end;
  }
  const text = Buffer.from(JSON.stringify(header));
  const padded = Math.ceil(text.byteLength / 8) * 8;
  const bytes = Buffer.alloc(8 + padded, ' ');
  bytes.writeBigUInt64LE(BigInt(padded), 0);
  text.copy(bytes, 8);
  return bytes;
}

/** An open file together with what to blame when it is damaged. */
export interface DataFile {
  readonly handle: FileHandle;
  readonly path: string;
  readonly code: FileErrorCode;
}

export type FileErrorCode = Extract<ErrorCode, 'L2M_DATA_INVALID' | 'L2M_CHECKPOINT_INVALID'>;

/** Opens a file for reading; a missing or unreadable one is an error of `code`. The caller closes its handle. */
export async function openDataFile(path: string, code: FileErrorCode): Promise<DataFile> {
  try {
    return { handle: await open(path, 'r'), path, code };
  } catch (cause) {
    throw new L2mError(code, `${path} cannot be opened (${systemCodeOf(cause)})`, { cause });
  }
}

/**
 * Reads and checks the header of a safetensors file: types, sizes and that the tensors fill the file exactly.
 * @throws L2mError of the file's code with what was got
 */
export async function readTensorFileHeader(file: DataFile): Promise<TensorFileHeader> {
  const fileBytes = (await file.handle.stat()).size;
  const headerBytes = Number((await readExactly(file, 0, 8)).readBigUInt64LE(0));
  if (headerBytes > HEADER_LIMIT_BYTES || headerBytes + 8 > fileBytes) {
    throw invalidFile(file, `its header claims ${headerBytes} bytes in a file of ${fileBytes}`);
  }
  const header = parseHeader(file, (await readExactly(file, 8, headerBytes)).toString('utf8'));
  const dataBegin = 8 + headerBytes;
  const tensors = new Map<string, PlacedTensor>();
  let end = 0;
  for (const [name, value] of Object.entries(header)) {
    if (name === '__metadata__') continue;
    const { entry, offsets } = parseEntry(file, name, value);
    const byteLength = byteLengthOf(entry);
    if (offsets[0] !== end || offsets[1] - offsets[0] !== byteLength) {
      throw invalidFile(file, `${name} of shape [${entry.shape.join(', ')}] spans bytes ${offsets.join(' to ')}`);
    }
    tensors.set(name, { ...entry, begin: dataBegin + offsets[0], byteLength });
    end = offsets[1];
  }
  if (dataBegin + end !== fileBytes) throw invalidFile(file, `it has ${fileBytes} bytes instead of ${dataBegin + end}`);
  return { metadata: parseMetadata(file, header['__metadata__']), tensors, dataBegin, fileBytes };
}

/** Exactly those bytes in memory of their own, so that typed arrays can be laid over them. */
export async function readExactly(file: DataFile, position: number, byteLength: number): Promise<Buffer> {
  const bytes = Buffer.from(new ArrayBuffer(byteLength));
  let filled = 0;
  while (filled < byteLength) {
    // One read call takes at most 2 GiB.
    const length = Math.min(byteLength - filled, 1 << 30);
    const { bytesRead } = await file.handle.read(bytes, filled, length, position + filled);
    if (bytesRead === 0) throw invalidFile(file, `it ends after ${position + filled} bytes`);
    filled += bytesRead;
  }
  return bytes;
}

export function invalidFile(file: Pick<DataFile, 'path' | 'code'>, got: string): L2mError {
  return new L2mError(file.code, `${file.path}: ${got}`);
}

/** `ENOENT` and the like of a caught file-system error. */
export function systemCodeOf(cause: unknown): string {
  return cause instanceof Error && 'code' in cause ? String(cause.code) : 'unknown reason';
}

function parseHeader(file: DataFile, text: string): Record<string, unknown> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw invalidFile(file, 'its header is not JSON');
  }
  if (!isRecord(value)) throw invalidFile(file, 'its header is no object');
  return value;
}

function parseEntry(
  file: DataFile,
  name: string,
  value: unknown,
): { entry: TensorFileEntry; offsets: readonly [number, number] } {
  const { dtype, shape, data_offsets: offsets } = isRecord(value) ? value : {};
  if (typeof dtype !== 'string' || !Object.hasOwn(ITEM_BYTES, dtype)) {
    throw invalidFile(file, `${name} has the type ${JSON.stringify(dtype)}`);
  }
  if (!isSizes(shape) || !isSizes(offsets)) throw invalidFile(file, `${name} has no valid shape and offsets`);
  const [begin, end] = offsets;
  if (begin === undefined || end === undefined) throw invalidFile(file, `${name} has no valid offsets`);
  return { entry: { dtype: dtype as TensorFileType, shape }, offsets: [begin, end] };
}

function parseMetadata(file: DataFile, value: unknown): Record<string, string> {
  if (value === undefined) return {};
  if (!isRecord(value) || !Object.values(value).every((item) => typeof item === 'string')) {
    throw invalidFile(file, 'its metadata is not a record of texts');
  }
  return value as Record<string, string>;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isSizes(value: unknown): value is number[] {
  return Array.isArray(value) && value.every((size) => Number.isSafeInteger(size) && (size as number) >= 0);
}
