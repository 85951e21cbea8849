import { randomSource } from '../random.ts';

/** Slowest of the rhythms that are added up: numbers that stay for 2^(octaves - 1) decisions. */
const OCTAVES = 8;

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
    // Within one octave neighbours share a number. Each number of each octave has a seed of its own, exact below 2^53.
    const index = Math.floor(step / 2 ** octave) * OCTAVES + octave;
    const random = randomSource(seed + index * 1_000_003);
    for (let i = 0; i < size; i++) sum[i] = sum[i]! + random.normal();
  }
  return sum.map((value) => value / Math.sqrt(OCTAVES));
}

/** The same drift with every action in [-1, 1] equally likely; the error function by Abramowitz and Stegun 7.1.26, within 2e-7. */
export function uniformFromNormal(value: number): number {
  const x = Math.abs(value) / Math.SQRT2;
  const t = 1 / (1 + 0.3275911 * x);
  const polynomial = ((((1.061405429 * t - 1.453152027) * t + 1.421413741) * t - 0.284496736) * t + 0.254829592) * t;
  const magnitude = 1 - polynomial * Math.exp(-x * x);
  return value < 0 ? -magnitude : magnitude;
}
