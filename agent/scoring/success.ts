/** What an episode's per-step success bits say. Both kinds of success are always reported (spec §6.1 takes the last step). */
export interface EpisodeSuccess {
  readonly anyTime: boolean;
  readonly atEnd: boolean;
  /** Number of steps taken when success was first seen, from 1; null if never. */
  readonly firstSuccessStep: number | null;
}

/** @param successes one entry a step, in order; not 0 means success after that step */
export function episodeSuccess(successes: ArrayLike<number | boolean>): EpisodeSuccess {
  let firstSuccessStep: number | null = null;
  for (let i = 0; i < successes.length && firstSuccessStep === null; i++) {
    if (successes[i]) firstSuccessStep = i + 1;
  }
  return {
    anyTime: firstSuccessStep !== null,
    atEnd: successes.length > 0 && Boolean(successes[successes.length - 1]),
    firstSuccessStep,
  };
}

/** A share with its Wilson score interval. */
export interface Rate {
  readonly rate: number;
  readonly lower: number;
  readonly upper: number;
  readonly count: number;
}

/** Two-sided 95 % quantile of the normal distribution. */
const Z = 1.959963984540054;

/**
 * Success rate with the Wilson score interval (Wilson 1927), which stays inside [0, 1] and is sensible for few episodes.
 *
 * @returns null where there are no episodes
 */
export function successRate(successes: number, count: number): Rate | null {
  if (count === 0) return null;
  const rate = successes / count;
  const square = (Z * Z) / count;
  const centre = (rate + square / 2) / (1 + square);
  const reach = (Z * Math.sqrt((rate * (1 - rate)) / count + square / (4 * count))) / (1 + square);
  return { rate, lower: Math.max(0, centre - reach), upper: Math.min(1, centre + reach), count };
}
