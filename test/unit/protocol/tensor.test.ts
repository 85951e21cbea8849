import { describe, expect, it } from 'vitest';
import { elementCount, ITEM_BYTES, TensorFrames, tensorView, type DataType } from '../../../protocol/tensor.ts';

const samples = {
  float32: Float32Array.of(1.5, -2, 3e38),
  float64: Float64Array.of(0.1, -0, 1e300),
  int32: Int32Array.of(-1, 2 ** 31 - 1, 0),
  uint32: Uint32Array.of(0xffffffff, 1, 2),
  uint16: Uint16Array.of(0xffff, 1, 2),
  uint8: Uint8Array.of(255, 1, 2),
} as const;
const dtypes = Object.keys(samples) as DataType[];

describe('elementCount', () => {
  it('is the product of the sizes', () => {
    expect(elementCount([])).toBe(1);
    expect(elementCount([2, 3, 4])).toBe(24);
    expect(elementCount([7, 0])).toBe(0);
  });
});

describe('TensorFrames and tensorView', () => {
  it.each(dtypes)('%s comes back as it was added, without a copy', (dtype) => {
    const tensors = new TensorFrames();
    const header = tensors.add(samples[dtype], [3]);
    expect(header).toEqual({ dtype, shape: [3], frame: 0 });
    const view = tensorView(header, tensors.frames, dtype);
    expect(view).toEqual(samples[dtype]);
    expect(view.buffer).toBe(samples[dtype].buffer);
    expect(tensors.frames[0]?.byteLength).toBe(3 * ITEM_BYTES[dtype]);
  });

  it('counts frames up', () => {
    const tensors = new TensorFrames();
    tensors.add(samples.uint8, [3]);
    expect(tensors.add(samples.float32, [1, 3]).frame).toBe(1);
    expect(tensors.frames).toHaveLength(2);
  });

  it('keeps to the part of the buffer that was added', () => {
    const whole = Float32Array.of(0, 1, 2, 3);
    const tensors = new TensorFrames();
    const header = tensors.add(whole.subarray(1, 3), [2]);
    expect([...tensorView(header, tensors.frames, 'float32')]).toEqual([1, 2]);
  });

  it.each([
    ['Uint8Array', (bytes: ArrayBuffer) => new Uint8Array(bytes, 3, 16)],
    ['Buffer', (bytes: ArrayBuffer) => Buffer.from(bytes, 3, 16)],
  ] as const)('reads an unaligned %s', (_name, frameOf) => {
    const bytes = new ArrayBuffer(24);
    new Uint8Array(bytes).set(new Uint8Array(Float64Array.of(0.1, -7).buffer), 3);
    const header = { dtype: 'float64', shape: [2], frame: 0 } as const;
    expect([...tensorView({ ...header, shape: [2] }, [frameOf(bytes)], 'float64')]).toEqual([0.1, -7]);
  });

  it('refuses a shape that does not hold the data', () => {
    expect(() => new TensorFrames().add(samples.uint8, [2, 2])).toThrow('shape [2, 2] needs 4 items, got 3');
  });

  it('refuses another data type than asked for, and a missing frame', () => {
    const tensors = new TensorFrames();
    const header = tensors.add(samples.uint8, [3]);
    expect(() => tensorView(header, tensors.frames, 'float32')).toThrow(RangeError);
    expect(() => tensorView({ ...header, frame: 1 }, tensors.frames, 'uint8')).toThrow(RangeError);
  });
});
