import { randomSource } from '../random.ts';

export interface BootstrapMean {
  readonly mean: number;
  /** Ends of the 95 % percentile interval; null for a single value, which says nothing of its spread. */
  readonly interval: { readonly lower: number; readonly upper: number } | null;
  readonly count: number;
}

const RESAMPLES = 10_000;
/** Fixed, so that equal values give equal intervals. */
const SEED = 20230626;

/**
 * Mean of the results of several seeds with a percentile bootstrap interval (Efron 1979).
 *
 * @returns null where there are no values
 */
export function bootstrapMean(values: readonly number[]): BootstrapMean | null {
  const count = values.length;
  if (count === 0) return null;
  const mean = values.reduce((sum, value) => sum + value, 0) / count;
  if (count === 1) return { mean, interval: null, count };
  const random = randomSource(SEED);
  const means = new Float64Array(RESAMPLES);
  for (let resample = 0; resample < RESAMPLES; resample++) {
    let sum = 0;
    for (let i = 0; i < count; i++) sum += values[random.below(count)]!;
    means[resample] = sum / count;
  }
  means.sort();
  return { mean, interval: { lower: quantile(means, 0.025), upper: quantile(means, 0.975) }, count };
}

/** Linear between neighbours. */
function quantile(sorted: Float64Array, share: number): number {
  const at = share * (sorted.length - 1);
  const below = sorted[Math.floor(at)]!;
  const above = sorted[Math.ceil(at)]!;
  return below + (above - below) * (at - Math.floor(at));
}
