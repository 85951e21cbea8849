/** A seeded source of chance; the same seed gives the same numbers on every machine. */
export interface RandomSource {
  /** Uniform in [0, 1). */
  uniform(): number;
  /** Normal with mean 0 and deviation 1. */
  normal(): number;
  /** Whole number in 0..limit-1. */
  below(limit: number): number;
}

const MULTIPLIER = 6364136223846793005n;
const STATE_MASK = (1n << 64n) - 1n;

/**
 * PCG-XSH-RR 64/32 (O'Neill 2014). The state is kept as two 32-bit halves: 64-bit integers of JavaScript are some
 * twenty times slower, and a paper-sized model draws 44 million numbers.
 *
 * @param seed whole number in 0..2^53-1
 */
export function randomSource(seed: number): RandomSource {
  const increment = ((BigInt(seed) << 1n) | 1n) & STATE_MASK;
  const incrementLow = Number(increment & 0xffffffffn);
  const incrementHigh = Number(increment >> 32n);
  const first = ((increment + BigInt(seed)) * MULTIPLIER + increment) & STATE_MASK;
  let low = Number(first & 0xffffffffn);
  let high = Number(first >> 32n);
  const multiplierLow = Number(MULTIPLIER & 0xffffffffn);
  const multiplierHigh = Number(MULTIPLIER >> 32n);
  let spare: number | null = null;

  const next = (): number => {
    const oldLow = low;
    const oldHigh = high;
    const product = multiply32(oldLow, multiplierLow);
    const sumLow = product.low + incrementLow;
    low = sumLow >>> 0;
    high =
      (product.high +
        Math.imul(oldHigh, multiplierLow) +
        Math.imul(oldLow, multiplierHigh) +
        incrementHigh +
        (sumLow > 0xffffffff ? 1 : 0)) >>>
      0;
    // ((state >> 18) ^ state) >> 27, low 32 bits.
    const mixedLow = ((oldLow >>> 18) | (oldHigh << 14)) ^ oldLow;
    const mixedHigh = (oldHigh >>> 18) ^ oldHigh;
    const shifted = ((mixedLow >>> 27) | (mixedHigh << 5)) >>> 0;
    const rotation = oldHigh >>> 27;
    return ((shifted >>> rotation) | (shifted << (-rotation & 31))) >>> 0;
  };
  const uniform = (): number => (next() * 0x200000 + (next() >>> 11)) / 0x20000000000000;

  return {
    uniform,
    below: (limit) => Math.floor(uniform() * limit),
    normal: () => {
      if (spare !== null) {
        const value = spare;
        spare = null;
        return value;
      }
      // 1 - u lies in (0, 1], so the logarithm is finite.
      const radius = Math.sqrt(-2 * Math.log(1 - uniform()));
      const angle = 2 * Math.PI * uniform();
      spare = radius * Math.sin(angle);
      return radius * Math.cos(angle);
    },
  };
}

function multiply32(a: number, b: number): { low: number; high: number } {
  const aLow = a & 0xffff;
  const aHigh = a >>> 16;
  const bLow = b & 0xffff;
  const bHigh = b >>> 16;
  const lowLow = aLow * bLow;
  const middle = aHigh * bLow + (lowLow >>> 16);
  const middleLow = (middle & 0xffff) + aLow * bHigh;
  return {
    low: (((middleLow & 0xffff) << 16) | (lowLow & 0xffff)) >>> 0,
    high: (aHigh * bHigh + Math.floor(middle / 0x10000) + Math.floor(middleLow / 0x10000)) >>> 0,
  };
}
