import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { AgentError } from '../../../../agent/agent-error.ts';
import { parseSafetensors, serialiseSafetensors, type NamedArray } from '../../../../agent/weights/safetensors.ts';

const ARRAYS = new Map<string, NamedArray>([
  ['b.weight', { dtype: 'F32', shape: [2, 3], data: Float32Array.of(1, -2, 3.5, 0, NaN, Infinity) }],
  ['flags', { dtype: 'U8', shape: [3], data: Uint8Array.of(0, 1, 255) }],
  ['offsets', { dtype: 'I32', shape: [2], data: Int32Array.of(-7, 9) }],
  ['wide', { dtype: 'I64', shape: [1], data: BigInt64Array.of(-(2n ** 60n)) }],
  ['scalar', { dtype: 'F64', shape: [], data: Float64Array.of(0.1) }],
  ['none', { dtype: 'F32', shape: [0, 4], data: new Float32Array() }],
]);

function file(header: unknown, bodyBytes = 0): Uint8Array {
  const text = new TextEncoder().encode(typeof header === 'string' ? header : JSON.stringify(header));
  const bytes = new Uint8Array(8 + text.byteLength + bodyBytes);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(text.byteLength), true);
  bytes.set(text, 8);
  return bytes;
}

const entry = (shape: unknown, offsets: unknown, dtype = 'F32'): unknown => ({ dtype, shape, data_offsets: offsets });

describe('safetensors', () => {
  it('reads back what it wrote', () => {
    const { arrays, metadata } = parseSafetensors(serialiseSafetensors(ARRAYS, { source: 'test', b: '2' }));
    expect(new Map([...arrays].sort())).toEqual(new Map([...ARRAYS].sort()));
    expect(metadata).toEqual({ source: 'test', b: '2' });
  });

  it('writes equal bytes for equal content, whatever the order', () => {
    const reversed = new Map([...ARRAYS].reverse());
    expect(serialiseSafetensors(reversed, { b: '2', a: '1' })).toEqual(
      serialiseSafetensors(ARRAYS, { a: '1', b: '2' }),
    );
  });

  it('reads from any offset of a larger buffer', () => {
    const bytes = serialiseSafetensors(ARRAYS);
    const shifted = new Uint8Array(bytes.byteLength + 3);
    shifted.set(bytes, 3);
    expect(parseSafetensors(shifted.subarray(3)).arrays.get('b.weight')).toEqual(ARRAYS.get('b.weight'));
  });

  it.each([
    ['too short', new Uint8Array(7)],
    ['a header longer than the file', Uint8Array.of(255, 0, 0, 0, 0, 0, 0, 0, 123)],
    ['a header of 2^63 bytes', Uint8Array.of(0, 0, 0, 0, 0, 0, 0, 128, 123, 125)],
    ['no JSON', file('{"a":')],
    ['a list', file([])],
    ['text that is not UTF-8', file('{}').with(8, 0xff)],
    ['an unknown element type', file({ a: entry([1], [0, 8], 'C64') }, 8)],
    ['an inherited element type', file({ a: entry([1], [0, 8], 'constructor') }, 8)],
    ['a negative size', file({ a: entry([-1], [0, 4]) }, 4)],
    ['a size that overflows', file({ a: entry([2 ** 52, 2 ** 52], [0, 4]) }, 4)],
    ['a rank of 9', file({ a: entry([1, 1, 1, 1, 1, 1, 1, 1, 1], [0, 4]) }, 4)],
    ['data beyond the file', file({ a: entry([4], [0, 16]) }, 8)],
    ['data shorter than the shape', file({ a: entry([4], [0, 8]) }, 8)],
    ['overlapping arrays', file({ a: entry([2], [0, 8]), b: entry([1], [4, 8]) }, 8)],
    ['a hole', file({ a: entry([1], [4, 8]) }, 8)],
    ['bytes after the end', file({ a: entry([1], [0, 4]) }, 8)],
    ['metadata that is not text', file({ __metadata__: { a: 1 } })],
    ['an entry that is not an object', file({ a: 7 })],
  ])('refuses %s', (_, bytes) => {
    expect(() => parseSafetensors(bytes)).toThrow(AgentError);
  });

  it('never fails but with its own error on damaged files', () => {
    const whole = serialiseSafetensors(ARRAYS, { source: 'test' });
    fc.assert(
      fc.property(fc.nat(whole.length - 1), fc.nat(255), fc.nat(whole.length), (at, value, length) => {
        try {
          parseSafetensors(whole.with(at, value).subarray(0, length));
        } catch (error) {
          expect(error).toBeInstanceOf(AgentError);
        }
      }),
      { numRuns: 500 },
    );
  });

  it('refuses to write an array that does not fit its shape', () => {
    const wrong = new Map<string, NamedArray>([['a', { dtype: 'F32', shape: [2], data: Float32Array.of(1) }]]);
    expect(() => serialiseSafetensors(wrong)).toThrow('a has 1 elements for [2]');
  });
});
