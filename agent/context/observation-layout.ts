/** Of `TaskContext` and of data that windows are drawn from. */
interface Observed {
  /** [W] place of each value in the unified vector. */
  readonly stateIndices: Int32Array;
  /** d */
  readonly actionSize: number;
}

/**
 * What can be seen of a robot before its first step: which entries of the unified vector its observation fills, and how many dimensions its
 * action has, such as `0-38/4` for all of Meta-World. Tasks of one robot with the same sensors share it; it does not say which task it is.
 */
export function observationLayout({ stateIndices, actionSize }: Observed): string {
  const filled = [...stateIndices].sort((a, b) => a - b);
  const spans: [first: number, last: number][] = [];
  for (const index of filled) {
    const open = spans.at(-1);
    if (open !== undefined && index === open[1] + 1) open[1] = index;
    else spans.push([index, index]);
  }
  const text = spans.map(([first, last]) => (first === last ? `${first}` : `${first}-${last}`));
  return `${text.join(',')}/${actionSize}`;
}
