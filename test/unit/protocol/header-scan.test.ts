import { Packr } from 'msgpackr';
import { describe, expect, it } from 'vitest';
import { scanHeader } from '../../../protocol/header-scan.ts';

const packr = new Packr({ useRecords: false, variableMapSize: true });
const limits = { depth: 8, items: 100 };

function bytes(...parts: (number | string)[]): Uint8Array {
  return Uint8Array.from(parts.flatMap((part) => (typeof part === 'number' ? [part] : [...Buffer.from(part)])));
}

/** `{a: <value>}` with the value given as bytes. */
function mapOf(...value: (number | string)[]): Uint8Array {
  return bytes(0x81, 0xa1, 'a', ...value);
}

function nestedArrays(depth: number): unknown[] {
  return depth === 1 ? [] : [nestedArrays(depth - 1)];
}

describe('scanHeader accepts', () => {
  it.each([
    ['an empty map', {}],
    ['all kinds of values', { a: null, b: true, c: false, d: 0, e: -1, f: 1.5, g: 'text', h: [1, [2]], i: { j: {} } }],
    ['all sizes of numbers', { a: 127, b: 255, c: 65535, d: 2 ** 32 - 1, e: -32, f: -128, g: -32768, h: -(2 ** 31) }],
    ['all sizes of text', { a: 'x'.repeat(31), b: 'x'.repeat(255), c: 'x'.repeat(65535), d: 'x'.repeat(65536) }],
    ['text of other scripts', { größe: '関節 \u{1f916}' }],
    ['arrays with long lengths', { a: Array.from({ length: 20 }, () => 0) }],
    ['the deepest nesting', { a: nestedArrays(7) }],
  ])('%s', (_name, value) => {
    expect(scanHeader(packr.encode(value), limits)).toBeUndefined();
  });

  it.each([
    ['the highest safe integer', mapOf(0xcf, 0, 0x1f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff)],
    ['the lowest safe integer', mapOf(0xd3, 0xff, 0xe0, 0, 0, 0, 0, 0, 1)],
    ['the largest 32-bit float', mapOf(0xca, 0x7f, 0x7f, 0xff, 0xff)],
    ['the largest 64-bit float', mapOf(0xcb, 0x7f, 0xef, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff)],
    ['a map with a long length', bytes(0xdf, 0, 0, 0, 1, 0xa1, 'a', 0x01)],
  ])('%s', (_name, header) => {
    expect(scanHeader(header, limits)).toBeUndefined();
  });
});

describe('scanHeader refuses as malformed', () => {
  it.each([
    ['nothing', bytes(), 'ends too early at byte 0'],
    ['an array', bytes(0x90), 'not a map at byte 0'],
    ['a number', bytes(0x01), 'not a map at byte 0'],
    ['a map without its entry', bytes(0x81), 'a container of 2 values with 0 bytes left at byte 0'],
    ['a map without its last value', bytes(0x81, 0xa1, 'a'), 'ends too early at byte 3, key "a"'],
    ['a number key', bytes(0x81, 0x01, 0x01), 'a key is not a string at byte 1'],
    ['a map as key', bytes(0x81, 0x80, 0x01), 'a key is not a string at byte 1'],
    ['a second key that is nil', bytes(0x82, 0xa1, 'a', 1, 0xc0, 1), 'a key is not a string at byte 4, key "a"'],
    ['trailing bytes', bytes(0x80, 0x80, 0x80), '2 bytes after the end of the header at byte 1'],
    ['a number cut short', mapOf(0xcd, 0x01), 'ends too early at byte 3, key "a"'],
    ['text cut short', mapOf(0xa3, 'ab'), 'a string of 3 bytes with 2 left at byte 3, key "a"'],
    ['text of 4 GB', mapOf(0xdb, 255, 255, 255, 255), 'a string of 4294967295 bytes with 0 left'],
    ['an array of 4 G', mapOf(0xdd, 255, 255, 255, 255), 'a container of 4294967295 values with 0 bytes left'],
    ['a map of 4 G', bytes(0xdf, 255, 255, 255, 255), 'a container of 8589934590 values with 0 bytes left at byte 0'],
    ['a byte that is never used', mapOf(0xc1), 'type byte 0xc1 is not allowed'],
    ['binary', mapOf(0xc4, 1, 0), 'type byte 0xc4 is not allowed'],
    ['an extension', mapOf(0xd4, 0x72, 0x40), 'type byte 0xd4 is not allowed'],
    ['a long extension', mapOf(0xc9, 255, 255, 255, 255, 1), 'type byte 0xc9 is not allowed'],
    ['text that is not UTF-8', mapOf(0xa2, 0xc3, 0x28), 'a string is not UTF-8'],
    ['half of a surrogate pair', mapOf(0xa3, 0xed, 0xa0, 0x80), 'a string is not UTF-8'],
    ['__proto__', bytes(0x81, 0xa9, '__proto__', 0x80), 'a forbidden key at byte 1, key "__proto__"'],
    ['constructor', bytes(0x81, 0xd9, 11, 'constructor', 0x80), 'a forbidden key at byte 1, key "constructor"'],
    ['prototype, further in', mapOf(0x81, 0xa9, 'prototype', 0x80), 'a forbidden key at byte 4, key "prototype"'],
  ])('%s', (_name, header, text) => {
    const fault = scanHeader(header, limits);
    expect(fault?.code).toBe('L2M_FRAME_MALFORMED');
    expect(fault?.got).toContain(text);
  });
});

describe('scanHeader refuses as too large', () => {
  it.each([
    ['one level too deep', packr.encode({ a: nestedArrays(8) }), 'nesting deeper than 8'],
    ['hundreds of levels', mapOf(...Array.from({ length: 500 }, () => 0x91), 0xc0), 'nesting deeper than 8'],
    ['too many values', packr.encode({ a: Array.from({ length: 100 }, () => 0) }), 'more than 100 values'],
    ['many small arrays', packr.encode({ a: Array.from({ length: 60 }, () => [0]) }), 'more than 100 values'],
  ])('%s', (_name, header, text) => {
    const fault = scanHeader(header, limits);
    expect(fault?.code).toBe('L2M_FRAME_TOO_LARGE');
    expect(fault?.got).toContain(text);
  });
});

describe('scanHeader refuses numbers that do not survive JavaScript', () => {
  it.each([
    ['NaN', mapOf(0xcb, 0x7f, 0xf8, 0, 0, 0, 0, 0, 0)],
    ['infinity', mapOf(0xca, 0x7f, 0x80, 0, 0)],
    ['minus infinity', mapOf(0xcb, 0xff, 0xf0, 0, 0, 0, 0, 0, 0)],
    ['2^53', mapOf(0xcf, 0, 0x20, 0, 0, 0, 0, 0, 0)],
    ['2^64 - 1', mapOf(0xcf, 255, 255, 255, 255, 255, 255, 255, 255)],
    ['-(2^53)', mapOf(0xd3, 0xff, 0xe0, 0, 0, 0, 0, 0, 0)],
  ])('%s', (_name, header) => {
    expect(scanHeader(header, limits)).toEqual({
      code: 'L2M_MESSAGE_INVALID',
      got: 'a number that is not finite or too large at byte 3, key "a"',
    });
  });
});
