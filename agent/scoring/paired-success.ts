import { signTest } from './sign-test.ts';
import { successRate } from './success.ts';

/** Pairs of episodes from the same start, by who succeeded. */
export interface PairCounts {
  readonly both: number;
  /** Only the policy that is compared. */
  readonly gained: number;
  /** Only the baseline. */
  readonly lost: number;
  readonly neither: number;
}

export interface PairedSuccess extends PairCounts {
  /** Rate of the compared policy less that of the baseline, -1..1. */
  readonly difference: number;
  /** 95 % interval of the difference. */
  readonly lower: number;
  readonly upper: number;
  /** Exact McNemar test, two-sided. */
  readonly pValue: number;
}

/**
 * Compares two policies by pairs of episodes. The interval is Newcombe's for paired proportions (Newcombe 1998, Statistics in
 * Medicine 17, method 10): Wilson intervals of both rates put together with their correlation, so that it stays in [-1, 1].
 *
 * @returns null where there are no pairs
 */
export function pairedSuccess(counts: PairCounts): PairedSuccess | null {
  const { both, gained, lost, neither } = counts;
  const pairs = both + gained + lost + neither;
  const compared = successRate(both + gained, pairs);
  const baseline = successRate(both + lost, pairs);
  if (compared === null || baseline === null) return null;
  const difference = (gained - lost) / pairs;
  const correlation = phi(counts);
  const reach = (a: number, b: number) => Math.sqrt(Math.max(0, a * a - 2 * correlation * a * b + b * b));
  return {
    ...{ both, gained, lost, neither, difference },
    lower: Math.max(-1, difference - reach(compared.rate - compared.lower, baseline.upper - baseline.rate)),
    upper: Math.min(1, difference + reach(compared.upper - compared.rate, baseline.rate - baseline.lower)),
    pValue: signTest(gained, lost),
  };
}

/** Correlation of the two successes, with Newcombe's correction towards 0 where it is positive. */
function phi({ both, gained, lost, neither }: PairCounts): number {
  const margins = (both + gained) * (lost + neither) * (both + lost) * (gained + neither);
  if (margins === 0) return 0;
  const excess = both * neither - gained * lost;
  const half = (both + gained + lost + neither) / 2;
  return (excess > 0 ? Math.max(0, excess - half) : excess) / Math.sqrt(margins);
}
