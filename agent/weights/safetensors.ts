import { AgentError } from '../agent-error.ts';

type SafetensorsDtype = 'F32' | 'F64' | 'I32' | 'I64' | 'U8' | 'BOOL';
type NamedData = Float32Array | Float64Array | Int32Array | BigInt64Array | Uint8Array;

/** One array of a file: its elements in row-major order. */
export interface NamedArray {
  readonly dtype: SafetensorsDtype;
  readonly shape: readonly number[];
  readonly data: NamedData;
}

export interface SafetensorsFile {
  readonly arrays: ReadonlyMap<string, NamedArray>;
  readonly metadata: Readonly<Record<string, string>>;
}

const HEADER_LIMIT_BYTES = 16 * 1024 * 1024;
const ARRAY_LIMIT = 65_536;
const RANK_LIMIT = 8;

const KINDS = {
  F32: { bytes: 4, view: (b: ArrayBuffer, at: number, n: number) => new Float32Array(b, at, n) },
  F64: { bytes: 8, view: (b: ArrayBuffer, at: number, n: number) => new Float64Array(b, at, n) },
  I32: { bytes: 4, view: (b: ArrayBuffer, at: number, n: number) => new Int32Array(b, at, n) },
  I64: { bytes: 8, view: (b: ArrayBuffer, at: number, n: number) => new BigInt64Array(b, at, n) },
  U8: { bytes: 1, view: (b: ArrayBuffer, at: number, n: number) => new Uint8Array(b, at, n) },
  BOOL: { bytes: 1, view: (b: ArrayBuffer, at: number, n: number) => new Uint8Array(b, at, n) },
} as const;

/**
 * Reads a safetensors file. Nothing is allocated from a number in the file before that number is checked against the bytes
 * that are there. Arrays are views into `bytes` where alignment allows, copies otherwise.
 *
 * @throws AgentError L2M_CHECKPOINT_INVALID for anything that is not a whole, consistent file
 */
export function parseSafetensors(bytes: Uint8Array): SafetensorsFile {
  if (bytes.byteLength < 8) throw invalid(`${bytes.byteLength} bytes are too few for a safetensors file`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const headerBytes = Number(view.getBigUint64(0, true));
  if (headerBytes > Math.min(HEADER_LIMIT_BYTES, bytes.byteLength - 8)) {
    throw invalid(`the header claims ${headerBytes} bytes`);
  }
  const header = parseHeader(bytes.subarray(8, 8 + headerBytes));
  const body = bytes.subarray(8 + headerBytes);
  const arrays = new Map<string, NamedArray>();
  let metadata: Record<string, string> = {};
  const entries = Object.entries(header);
  if (entries.length > ARRAY_LIMIT) throw invalid(`${entries.length} arrays are more than ${ARRAY_LIMIT}`);
  const spans: { name: string; start: number; end: number }[] = [];
  for (const [name, entry] of entries) {
    if (name === '__metadata__') {
      metadata = readMetadata(entry);
      continue;
    }
    const { dtype, shape, start, end } = readEntry(name, entry, body.byteLength);
    spans.push({ name, start, end });
    arrays.set(name, { dtype, shape, data: elements(body, dtype, { start, end }) });
  }
  checkSpans(spans, body.byteLength);
  return { arrays, metadata };
}

/**
 * Writes a safetensors file: arrays sorted by name, each starting at a multiple of 8, so equal content gives equal bytes.
 *
 * @throws AgentError L2M_CHECKPOINT_INVALID if an array's shape does not fit its data
 */
export function serialiseSafetensors(
  arrays: ReadonlyMap<string, NamedArray>,
  metadata: Readonly<Record<string, string>> = {},
): Uint8Array {
  // Wide elements first keeps every array aligned without holes, which the format forbids.
  const sorted = [...arrays].sort(([aName, a], [bName, b]) => {
    const byWidth = KINDS[b.dtype].bytes - KINDS[a.dtype].bytes;
    return byWidth !== 0 ? byWidth : aName < bName ? -1 : 1;
  });
  const header: Record<string, unknown> = {};
  const metadataNames = Object.keys(metadata).sort();
  if (metadataNames.length > 0) {
    header['__metadata__'] = Object.fromEntries(metadataNames.map((name) => [name, metadata[name]]));
  }
  let offset = 0;
  for (const [name, array] of sorted) {
    const count = array.shape.reduce((product, n) => product * n, 1);
    if (count !== array.data.length)
      throw invalid(`${name} has ${array.data.length} elements for [${array.shape.join(', ')}]`);
    const length = count * KINDS[array.dtype].bytes;
    header[name] = { dtype: array.dtype, shape: array.shape, data_offsets: [offset, offset + length] };
    offset += length;
  }
  let text = JSON.stringify(header);
  const encoder = new TextEncoder();
  const padding = (8 - (encoder.encode(text).byteLength % 8)) % 8;
  text += ' '.repeat(padding);
  const headerBytes = encoder.encode(text);
  const file = new Uint8Array(8 + headerBytes.byteLength + offset);
  new DataView(file.buffer).setBigUint64(0, BigInt(headerBytes.byteLength), true);
  file.set(headerBytes, 8);
  let at = 8 + headerBytes.byteLength;
  for (const [, array] of sorted) {
    const raw = new Uint8Array(array.data.buffer, array.data.byteOffset, array.data.byteLength);
    file.set(raw, at);
    at += raw.byteLength;
  }
  return file;
}

function parseHeader(bytes: Uint8Array): Record<string, unknown> {
  try {
    const header: unknown = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
    if (isRecord(header)) return header;
  } catch {
    throw invalid('its header is not JSON');
  }
  throw invalid('its header is not a JSON object');
}

function readMetadata(entry: unknown): Record<string, string> {
  if (!isRecord(entry)) throw invalid('__metadata__ is not an object');
  const pairs = Object.entries(entry).map(([name, value]): [string, string] => {
    if (typeof value !== 'string') throw invalid(`__metadata__.${name} is not a string`);
    return [name, value];
  });
  return Object.fromEntries(pairs);
}

interface Entry {
  readonly dtype: SafetensorsDtype;
  readonly shape: readonly number[];
  readonly start: number;
  readonly end: number;
}

function readEntry(name: string, entry: unknown, bodyBytes: number): Entry {
  if (!isRecord(entry)) throw invalid(`the entry of ${name} is not an object`);
  const { dtype, shape, data_offsets: offsets } = entry;
  if (typeof dtype !== 'string' || !Object.hasOwn(KINDS, dtype)) {
    throw invalid(`${name} has the unsupported element type ${String(dtype)}`);
  }
  if (!isCounts(shape) || shape.length > RANK_LIMIT) throw invalid(`${name} has no valid shape`);
  if (!isCounts(offsets) || offsets.length !== 2) throw invalid(`${name} has no valid data_offsets`);
  const [start, end] = offsets as [number, number];
  const kind = dtype as SafetensorsDtype;
  const length = shape.reduce((product, n) => product * n, KINDS[kind].bytes);
  if (end > bodyBytes || end - start !== length) {
    throw invalid(
      `${name} [${shape.join(', ')}] needs ${length} bytes, the file gives ${start}..${end} of ${bodyBytes}`,
    );
  }
  return { dtype: kind, shape, start, end };
}

function checkSpans(spans: { name: string; start: number; end: number }[], bodyBytes: number): void {
  spans.sort((a, b) => a.start - b.start || a.end - b.end);
  let at = 0;
  for (const span of spans) {
    if (span.start !== at) throw invalid(`${span.name} overlaps another array or leaves a hole`);
    at = span.end;
  }
  if (at !== bodyBytes) throw invalid(`${bodyBytes - at} bytes after the last array`);
}

function elements(body: Uint8Array, dtype: SafetensorsDtype, span: { start: number; end: number }): NamedData {
  const { bytes, view } = KINDS[dtype];
  const count = (span.end - span.start) / bytes;
  const at = body.byteOffset + span.start;
  if (at % bytes === 0 && body.buffer instanceof ArrayBuffer) return view(body.buffer, at, count);
  return view(Uint8Array.from(body.subarray(span.start, span.end)).buffer, 0, count);
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isCounts(value: unknown): value is number[] {
  return Array.isArray(value) && value.every((n) => Number.isSafeInteger(n) && n >= 0);
}

function invalid(got: string): AgentError {
  return new AgentError('L2M_CHECKPOINT_INVALID', got);
}
