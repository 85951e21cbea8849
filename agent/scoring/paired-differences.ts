import { fairCoinTail, signTest } from './sign-test.ts';

export interface PairedDifferences {
  readonly pairs: number;
  readonly higher: number;
  readonly lower: number;
  readonly mean: number;
  readonly median: number;
  /** At least 95 % for the median; null for fewer than six pairs, where no such interval exists. */
  readonly interval: { readonly low: number; readonly high: number } | null;
  /** Exact sign test, two-sided; ties do not count. */
  readonly pValue: number;
}

const OUTSIDE_EACH_SIDE = 0.025;

/**
 * Compares two policies by differences of pairs (returns of episodes from the same start) without assuming any distribution:
 * exact sign test, and the interval of the median from order statistics, which is that test turned round.
 *
 * @param differences compared less baseline, one for each pair
 * @returns null where there are no pairs
 */
export function pairedDifferences(differences: readonly number[]): PairedDifferences | null {
  if (differences.length === 0) return null;
  const sorted = [...differences].sort((a, b) => a - b);
  const pairs = sorted.length;
  const at = (place: number) => sorted[place] ?? Number.NaN;
  const higher = sorted.filter((difference) => difference > 0).length;
  const lower = sorted.filter((difference) => difference < 0).length;
  const dropped = droppedEachSide(pairs);
  return {
    ...{ pairs, higher, lower },
    mean: sorted.reduce((sum, difference) => sum + difference, 0) / pairs,
    median: (at((pairs - 1) >> 1) + at(pairs >> 1)) / 2,
    interval: dropped === null ? null : { low: at(dropped), high: at(pairs - 1 - dropped) },
    pValue: signTest(higher, lower),
  };
}

/** How many of the smallest and of the largest values the interval leaves out. */
function droppedEachSide(pairs: number): number | null {
  let dropped = -1;
  while (fairCoinTail(pairs, dropped + 1) <= OUTSIDE_EACH_SIDE) dropped++;
  return dropped < 0 ? null : dropped;
}
