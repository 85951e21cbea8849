import { randomSource } from '../random.ts';

/** Slowest of the rhythms that are added up: numbers that stay for 2^(octaves - 1) decisions. */
const OCTAVES = 8;
const SIXTY_FOUR = 0xffffffffffffffffn;

/**
 * Standard normal numbers that drift: each is the sum of numbers that stay for 1, 2, 4, … 128 decisions (Voss' pink noise). Exploring
 * with it reaches what independent draws never do, as they cancel out: a pendulum is swung up, a ball caught (Eberhard et al. 2023).
 * A function of its arguments alone, so an interrupted episode goes on with the same noise.
 *
 * @param seed whole number in 0..2^48-1, another one for every episode and lane
 * @param step decision within the episode, from 0
 * @param size A, numbers that drift independently
 */
export function pinkNoise(seed: number, step: number, size: number): Float32Array {
  const sum = new Float32Array(size);
  for (let octave = 0; octave < OCTAVES; octave++) {
    // Within one octave neighbours share a number.
    const random = randomSource(mixed(seed, Math.floor(step / 2 ** octave) * OCTAVES + octave));
    for (let i = 0; i < size; i++) sum[i] = sum[i]! + random.normal();
  }
  return sum.map((value) => value / Math.sqrt(OCTAVES));
}

/** A seed for one of many streams (SplitMix64, Steele et al. 2014): sources whose seeds are evenly spaced would be related. */
function mixed(seed: number, stream: number): number {
  let bits = (BigInt(seed) + BigInt(stream + 1) * 0x9e3779b97f4a7c15n) & SIXTY_FOUR;
  bits = ((bits ^ (bits >> 30n)) * 0xbf58476d1ce4e5b9n) & SIXTY_FOUR;
  bits = ((bits ^ (bits >> 27n)) * 0x94d049bb133111ebn) & SIXTY_FOUR;
  return Number((bits ^ (bits >> 31n)) >> 11n);
}

/** The same drift with every action in [-1, 1] equally likely; the error function by Abramowitz and Stegun 7.1.26, within 2e-7. */
export function uniformFromNormal(value: number): number {
  const x = Math.abs(value) / Math.SQRT2;
  const t = 1 / (1 + 0.3275911 * x);
  const polynomial = ((((1.061405429 * t - 1.453152027) * t + 1.421413741) * t - 0.284496736) * t + 0.254829592) * t;
  const magnitude = 1 - polynomial * Math.exp(-x * x);
  return value < 0 ? -magnitude : magnitude;
}
