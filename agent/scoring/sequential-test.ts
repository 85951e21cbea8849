/** Pairs of episodes from the same start, by whose was better. */
export interface PairTally {
  /** Only the new policy succeeded, or its return was higher. */
  readonly gained: number;
  /** Only the old one. */
  readonly lost: number;
  readonly tied: number;
}

export interface SequentialTestOptions {
  /** How many times as often as it gains a policy that counts as worse loses, above 1; the same the other way round. */
  readonly odds: number;
  /** Of either decision, where the test ends by itself. */
  readonly errorRate: number;
  /** Pairs after which the tally as it stands decides. */
  readonly maxPairs: number;
}

export type SequentialVerdict = 'worse' | 'not-worse' | 'continue';

/** Decides after five pairs more on one side; with 60 pairs of which a third differ, at most one error in ten (simulated in its test). */
export const SEQUENTIAL_TEST: SequentialTestOptions = { odds: 2, errorRate: 0.05, maxPairs: 60 };

/**
 * Whether a new policy is worse than the old one, asked after every pair (Wald 1945). Of pairs that differ, "worse" loses `odds` times as
 * often as it gains, "not worse" gains as often more; each such pair moves the log likelihood ratio by ln(odds), so that the difference of
 * both counts decides as soon as it reaches ln((1 - e) / e) / ln(odds). Pairs that agree say nothing, as in McNemar's test; returns enter by
 * the sign of their difference, without assuming a distribution. At the limit a policy that lost no more than it gained is not worse.
 */
export function sequentialVerdict(tally: PairTally, options: SequentialTestOptions): SequentialVerdict {
  const { gained, lost, tied } = tally;
  const lead = gained - lost;
  const enough = decidingLead(options);
  if (lead >= enough) return 'not-worse';
  if (-lead >= enough) return 'worse';
  if (gained + lost + tied < options.maxPairs) return 'continue';
  return lead >= 0 ? 'not-worse' : 'worse';
}

/** Differing pairs that one side must be ahead by. @throws RangeError for options that decide nothing */
export function decidingLead({ odds, errorRate, maxPairs }: SequentialTestOptions): number {
  const usable = odds > 1 && errorRate > 0 && errorRate < 0.5 && Number.isInteger(maxPairs) && maxPairs > 0;
  if (!usable) throw new RangeError(`a test of odds ${odds}, error rate ${errorRate} and ${maxPairs} pairs`);
  return Math.ceil(Math.log((1 - errorRate) / errorRate) / Math.log(odds));
}

/** The tally with one more pair. @param difference above 0 where the new policy was better */
export function withPair({ gained, lost, tied }: PairTally, difference: number): PairTally {
  return {
    gained: gained + (difference > 0 ? 1 : 0),
    lost: lost + (difference < 0 ? 1 : 0),
    tied: tied + (difference === 0 ? 1 : 0),
  };
}

export const NO_PAIRS: PairTally = { gained: 0, lost: 0, tied: 0 };
