import { describe, expect, test } from 'vitest';
import { floatFromHalf, halfFromFloat } from '../../../../server/checkpoints/half-precision.ts';

const bits = (...values: number[]) => [...halfFromFloat(Float32Array.from(values))];

describe('half precision', () => {
  test('every finite half is a float and comes back', () => {
    const all = Uint16Array.from({ length: 65_536 }, (_, i) => i).filter((half) => (half & 0x7c00) !== 0x7c00);
    expect([...halfFromFloat(floatFromHalf(all))]).toEqual([...all]);
  });

  test('known values', () => {
    expect(bits(0, -0, 1, -2, 65504, 2 ** -24, 0.333251953125)).toEqual([0, 0x8000, 0x3c00, 0xc000, 0x7bff, 1, 0x3555]);
    expect(bits(Infinity, -Infinity, 65520, 1e9)).toEqual([0x7c00, 0xfc00, 0x7c00, 0x7c00]);
    expect(floatFromHalf(Uint16Array.from(bits(Number.NaN)))[0]).toBeNaN();
  });

  test('rounds to the nearest half, ties to the even one', () => {
    const half = (value: number) => floatFromHalf(halfFromFloat(Float32Array.of(value)))[0]!;
    expect(half(1 + 2 ** -11)).toBe(1);
    expect(half(1 + 3 * 2 ** -11)).toBe(1 + 2 ** -9);
    expect(half(2 ** -25)).toBe(0);
    expect(half(2 ** -25 * 1.01)).toBe(2 ** -24);
    expect(half(2 ** -30)).toBe(0);
    for (let i = 0; i < 2000; i++) {
      const value = Math.sin(i) * 2 ** ((i % 36) - 22);
      const spacing = Math.max(2 ** -24, 2 ** (Math.floor(Math.log2(Math.abs(value))) - 10));
      expect(Math.abs(half(value) - Math.fround(value))).toBeLessThanOrEqual(spacing / 2);
    }
  });
});
