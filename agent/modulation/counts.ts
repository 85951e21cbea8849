/** How often each key was selected while learning, as running means (spec §3.4). A value: updates return a new one. */
export interface UsageCounts {
  /** Mean share of each key over all batches so far. */
  readonly counts: Float32Array;
  /** Weights of the penalty, fixed at the last switch of tasks; all ones before the first. */
  readonly inverseCounts: Float32Array;
  readonly batches: number;
}

export function emptyCounts(keyCount: number): UsageCounts {
  return { counts: new Float32Array(keyCount), inverseCounts: new Float32Array(keyCount).fill(1), batches: 0 };
}

/** Takes in the keys selected in one training batch. */
export function countBatch(usage: UsageCounts, selected: ArrayLike<number> & Iterable<number>): UsageCounts {
  const share = new Float32Array(usage.counts.length);
  for (const key of selected) share[key]! += 1 / selected.length;
  const batches = usage.batches + 1;
  const counts = usage.counts.map((count, key) => count + (share[key]! - count) / batches);
  return { ...usage, counts, batches };
}

/** At a switch of tasks: keys used so far get small weights, all unused ones the same large weight. */
export function switchTask(usage: UsageCounts): UsageCounts {
  const inverse = Array.from(usage.counts, (count) => 1 / (count + 1e-6));
  const total = inverse.reduce((sum, x) => sum + x, 0);
  return { ...usage, inverseCounts: Float32Array.from(inverse, (x) => x / total) };
}
