import { describe, expect, it } from 'vitest';
import { randomSource } from '../../../agent/random.ts';

/** PCG-XSH-RR 64/32 as published, in 64-bit integers. */
function* publishedGenerator(seed: bigint): Generator<number> {
  const mask = (1n << 64n) - 1n;
  const increment = ((seed << 1n) | 1n) & mask;
  let state = ((increment + seed) * 6364136223846793005n + increment) & mask;
  for (;;) {
    const shifted = Number((((state >> 18n) ^ state) >> 27n) & 0xffffffffn);
    const rotation = Number(state >> 59n);
    yield ((shifted >>> rotation) | (shifted << (-rotation & 31))) >>> 0;
    state = (state * 6364136223846793005n + increment) & mask;
  }
}

describe('random source', () => {
  it.each([0, 1, 42, 2 ** 40 + 12345, Number.MAX_SAFE_INTEGER])(
    'follows the published generator for seed %d',
    (seed) => {
      const published = publishedGenerator(BigInt(seed));
      const random = randomSource(seed);
      for (let i = 0; i < 200; i++) {
        const high = published.next().value as number;
        const low = published.next().value as number;
        expect(random.uniform()).toBe((high * 2 ** 21 + (low >>> 11)) / 2 ** 53);
      }
    },
  );

  it('draws normal numbers of mean 0 and deviation 1, and whole numbers below a limit', () => {
    const random = randomSource(3);
    const drawn = Array.from({ length: 20_000 }, () => random.normal());
    const mean = drawn.reduce((sum, x) => sum + x, 0) / drawn.length;
    const variance = drawn.reduce((sum, x) => sum + x * x, 0) / drawn.length - mean ** 2;
    expect(Math.abs(mean)).toBeLessThan(0.03);
    expect(Math.abs(variance - 1)).toBeLessThan(0.05);
    expect(new Set(Array.from({ length: 500 }, () => random.below(4)))).toEqual(new Set([0, 1, 2, 3]));
  });
});
