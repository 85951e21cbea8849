import { readSync } from 'node:fs';
import { crc32 } from 'node:zlib';

/**
 * A record of the log of finished episodes: `magic u32, json bytes u32, payload bytes u32, crc32 of json and payload u32, json, payload`,
 * little-endian.
 */
const MAGIC = 0x4c4d324c;
const HEAD_BYTES = 16;
const JSON_LIMIT_BYTES = 1024 * 1024;
const PAYLOAD_LIMIT_BYTES = 1024 * 1024 * 1024;

export interface LogRecord {
  readonly json: string;
  readonly payloadBegin: number;
  readonly end: number;
}

export interface EncodedRecord {
  readonly bytes: Buffer;
  /** Position of the payload within the bytes. */
  readonly payloadBegin: number;
}

export function encodeRecord(json: string, payload: readonly Uint8Array[]): EncodedRecord {
  const text = Buffer.from(json);
  const head = Buffer.alloc(HEAD_BYTES);
  head.writeUInt32LE(MAGIC, 0);
  head.writeUInt32LE(text.byteLength, 4);
  head.writeUInt32LE(
    payload.reduce((sum, part) => sum + part.byteLength, 0),
    8,
  );
  head.writeUInt32LE(
    payload.reduce((sum, part) => crc32(part, sum), crc32(text)),
    12,
  );
  return { bytes: Buffer.concat([head, text, ...payload]), payloadBegin: HEAD_BYTES + text.byteLength };
}

/** The whole record at a position; `torn` where the file ends within one, `damaged` where its bytes are not what was written. */
export function readRecord(descriptor: number, position: number, size: number): LogRecord | 'end' | 'torn' | 'damaged' {
  if (position === size) return 'end';
  const head = Buffer.alloc(HEAD_BYTES);
  if (readSync(descriptor, head, 0, HEAD_BYTES, position) < HEAD_BYTES) return 'torn';
  const jsonBytes = head.readUInt32LE(4);
  const payloadBytes = head.readUInt32LE(8);
  const end = position + HEAD_BYTES + jsonBytes + payloadBytes;
  if (head.readUInt32LE(0) !== MAGIC || jsonBytes > JSON_LIMIT_BYTES || payloadBytes > PAYLOAD_LIMIT_BYTES)
    return 'damaged';
  if (end > size) return 'torn';
  const body = Buffer.alloc(jsonBytes + payloadBytes);
  readSync(descriptor, body, 0, body.byteLength, position + HEAD_BYTES);
  if (crc32(body) !== head.readUInt32LE(12)) return 'damaged';
  return { json: body.toString('utf8', 0, jsonBytes), payloadBegin: position + HEAD_BYTES + jsonBytes, end };
}
