/** Counts of equal steps from `low` to `high`; both bounds belong to a bin. */
export interface ReturnHistogram {
  readonly low: number;
  readonly high: number;
  readonly counts: readonly number[];
}

const BLOCKS = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'] as const;

/** @param values at least one, finite */
export function returnHistogram(values: readonly number[], bins: number): ReturnHistogram {
  const low = Math.min(...values);
  const high = Math.max(...values);
  const counts = new Array<number>(bins).fill(0);
  for (const value of values) {
    const bin = high === low ? 0 : Math.min(bins - 1, Math.floor(((value - low) / (high - low)) * bins));
    counts[bin] = (counts[bin] ?? 0) + 1;
  }
  return { low, high, counts };
}

/** One letter a bin, its height by the fullest bin: `▁▂ █▅`. An empty bin is a space, so that gaps are seen. */
export function sparklineOf(counts: readonly number[]): string {
  const most = Math.max(1, ...counts);
  return counts
    .map((count) => (count === 0 ? ' ' : (BLOCKS[Math.min(7, Math.floor((count / most) * 8))] ?? '█')))
    .join('');
}
