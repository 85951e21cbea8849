import type { FrameErrorCode } from './frame-errors.ts';

export interface HeaderLimits {
  readonly depth: number;
  readonly items: number;
}

export interface ScanFault {
  readonly code: FrameErrorCode;
  /** What was got and where, for the `%s` of the error table. */
  readonly got: string;
}

const REFUSED_KEYS: ReadonlySet<string> = new Set(['__proto__', 'constructor', 'prototype']);
const LONGEST_REFUSED_KEY = 11;
const SHORTEST_REFUSED_KEY = 9;

const MAXIMUM_DEPTH = 32;
/** Values still to come in each open container; decoding is synchronous, so one stack serves every scan. */
const remaining = new Uint32Array(MAXIMUM_DEPTH + 1);
const isMap = new Uint8Array(MAXIMUM_DEPTH + 1);

const strictText = new TextDecoder('utf-8', { fatal: true });

/**
 * Walks MessagePack bytes without building anything and says why they must not be decoded, or nothing if they may.
 *
 * Accepted: exactly one map with string keys, holding maps, arrays, strings of valid UTF-8, null, booleans, finite floats
 * and integers within ±(2^53 - 1). Refused: a declared length beyond the end, more than `limits.items` values, nesting
 * deeper than `limits.depth`, binary and extension types, keys that reach a prototype, trailing bytes.
 * The Python twin (`sim_bridge/header_scan.py`) makes the same decisions in the same order.
 */
export function scanHeader(bytes: Uint8Array, limits: HeaderLimits): ScanFault | undefined {
  const end = bytes.byteLength;
  const deepest = Math.min(limits.depth, MAXIMUM_DEPTH);
  let offset = 0;
  let depth = 0;
  let items = 1;
  let keyAt = -1;
  do {
    const start = offset;
    if (offset >= end) return malformed(bytes, 'the header ends too early', { start, keyAt });
    const token = bytes[offset++] ?? 0;
    const isKey = depth > 0 && isMap[depth] === 1 && ((remaining[depth] ?? 0) & 1) === 0;
    if (depth > 0) remaining[depth] = (remaining[depth] ?? 0) - 1;
    if (depth === 0 && !isMapToken(token)) return malformed(bytes, 'the header is not a map', { start, keyAt });
    if (isKey && !isStringToken(token)) return malformed(bytes, 'a key is not a string', { start, keyAt });

    const lengthBytes = lengthBytesOf(token);
    if (lengthBytes < 0) return malformed(bytes, `type byte 0x${token.toString(16)} is not allowed`, { start, keyAt });
    if (lengthBytes > end - offset) return malformed(bytes, 'the header ends too early', { start, keyAt });

    if (isStringToken(token)) {
      const length = token < 0xc0 ? token & 0x1f : readLength(bytes, offset, lengthBytes);
      offset += lengthBytes;
      if (length > end - offset) {
        return malformed(bytes, `a string of ${length} bytes with ${end - offset} left`, { start, keyAt });
      }
      if (!isText(bytes, offset, length)) return malformed(bytes, 'a string is not UTF-8', { start, keyAt });
      if (isKey) {
        if (isRefusedKey(bytes, offset, length)) return malformed(bytes, 'a forbidden key', { start, keyAt: start });
        keyAt = start;
      }
      offset += length;
    } else if (isMapToken(token) || isArrayToken(token)) {
      const isOpenedMap = isMapToken(token);
      const count = token < 0xa0 ? token & 0x0f : readLength(bytes, offset, lengthBytes);
      const values = isOpenedMap ? count * 2 : count;
      offset += lengthBytes;
      if (values > end - offset) {
        return malformed(bytes, `a container of ${values} values with ${end - offset} bytes left`, { start, keyAt });
      }
      items += values;
      if (items > limits.items) {
        return tooLarge(bytes, `more than ${limits.items} values in the header`, { start, keyAt });
      }
      depth++;
      if (depth > deepest) return tooLarge(bytes, `nesting deeper than ${deepest}`, { start, keyAt });
      remaining[depth] = values;
      isMap[depth] = isOpenedMap ? 1 : 0;
    } else {
      if (lengthBytes >= 4 && !isUsableNumber(bytes, token, offset)) {
        return {
          code: 'L2M_MESSAGE_INVALID',
          got: 'a number that is not finite or too large' + place(bytes, { start, keyAt }),
        };
      }
      offset += lengthBytes;
    }
    while (depth > 0 && remaining[depth] === 0) depth--;
  } while (depth > 0);
  if (offset !== end)
    return malformed(bytes, `${end - offset} bytes after the end of the header`, { start: offset, keyAt: -1 });
  return undefined;
}

function isMapToken(token: number): boolean {
  return (token >= 0x80 && token < 0x90) || token === 0xde || token === 0xdf;
}

function isArrayToken(token: number): boolean {
  return (token >= 0x90 && token < 0xa0) || token === 0xdc || token === 0xdd;
}

function isStringToken(token: number): boolean {
  return (token >= 0xa0 && token < 0xc0) || (token >= 0xd9 && token <= 0xdb);
}

/** Bytes of the number that follows the type byte: a value, or the length of a string or container. -1: refused type. */
function lengthBytesOf(token: number): number {
  if (token < 0xc0 || token >= 0xe0) return 0;
  switch (token) {
    case 0xc0: // nil
    case 0xc2: // false
    case 0xc3: // true
      return 0;
    case 0xcc: // uint 8
    case 0xd0: // int 8
    case 0xd9: // str 8
      return 1;
    case 0xcd: // uint 16
    case 0xd1: // int 16
    case 0xda: // str 16
    case 0xdc: // array 16
    case 0xde: // map 16
      return 2;
    case 0xca: // float 32
    case 0xce: // uint 32
    case 0xd2: // int 32
    case 0xdb: // str 32
    case 0xdd: // array 32
    case 0xdf: // map 32
      return 4;
    case 0xcb: // float 64
    case 0xcf: // uint 64
    case 0xd3: // int 64
      return 8;
    default: // never-used, binary, extension
      return -1;
  }
}

/** Big-endian unsigned integer of 0, 1, 2 or 4 bytes; the caller has checked that they are there. */
function readLength(bytes: Uint8Array, offset: number, count: number): number {
  let value = 0;
  for (let i = 0; i < count; i++) value = value * 256 + (bytes[offset + i] ?? 0);
  return value;
}

/** Floats must be finite, 64-bit integers exact as a JavaScript number. */
function isUsableNumber(bytes: Uint8Array, token: number, offset: number): boolean {
  const high = bytes[offset] ?? 0;
  const next = bytes[offset + 1] ?? 0;
  switch (token) {
    case 0xca:
      return (((high & 0x7f) << 1) | (next >> 7)) !== 0xff;
    case 0xcb:
      return (((high & 0x7f) << 4) | (next >> 4)) !== 0x7ff;
    case 0xcf:
      return high === 0 && next < 0x20;
    case 0xd3:
      return (high === 0 && next < 0x20) || (high === 0xff && next >= 0xe0 && !isLowestOf53(bytes, offset));
    default:
      return true;
  }
}

/** Whether the bytes are -(2^53): one below the lowest safe integer. */
function isLowestOf53(bytes: Uint8Array, offset: number): boolean {
  if (bytes[offset + 1] !== 0xe0) return false;
  for (let i = 2; i < 8; i++) if (bytes[offset + i] !== 0) return false;
  return true;
}

function isText(bytes: Uint8Array, offset: number, length: number): boolean {
  for (let i = offset; i < offset + length; i++) {
    if ((bytes[i] ?? 0) >= 0x80) return isUtf8(bytes.subarray(offset, offset + length));
  }
  return true;
}

function isUtf8(bytes: Uint8Array): boolean {
  try {
    strictText.decode(bytes);
    return true;
  } catch {
    return false;
  }
}

function isRefusedKey(bytes: Uint8Array, offset: number, length: number): boolean {
  if (length < SHORTEST_REFUSED_KEY || length > LONGEST_REFUSED_KEY) return false;
  return REFUSED_KEYS.has(String.fromCharCode(...bytes.subarray(offset, offset + length)));
}

interface Place {
  readonly start: number;
  /** Where the last key begins, -1 before the first. */
  readonly keyAt: number;
}

function malformed(bytes: Uint8Array, what: string, at: Place): ScanFault {
  return { code: 'L2M_FRAME_MALFORMED', got: what + place(bytes, at) };
}

function tooLarge(bytes: Uint8Array, what: string, at: Place): ScanFault {
  return { code: 'L2M_FRAME_TOO_LARGE', got: what + place(bytes, at) };
}

function place(bytes: Uint8Array, { start, keyAt }: Place): string {
  if (keyAt < 0) return ` at byte ${start}`;
  const token = bytes[keyAt] ?? 0;
  const lengthBytes = lengthBytesOf(token);
  const length = token < 0xc0 ? token & 0x1f : readLength(bytes, keyAt + 1, lengthBytes);
  const first = keyAt + 1 + lengthBytes;
  const key = new TextDecoder().decode(bytes.subarray(first, first + Math.min(length, 40)));
  return ` at byte ${start}, key ${JSON.stringify(key)}`;
}
