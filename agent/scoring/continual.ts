/** One measurement of one task: its success rate, or its normalised return where it has no success. */
export interface Performance {
  /** 0 before learning; s while the s-th task of the sequence is learned, and right after it. */
  readonly stage: number;
  readonly task: string;
  readonly value: number;
  /** Updates of the whole training when it was taken. */
  readonly update: number;
}

/** What was learned in which order, and what was measured. */
export interface ContinualResult {
  /** May name a task more than once (CW20). */
  readonly sequence: readonly string[];
  /** Tasks of the pre-training, which are evaluated but not learned. */
  readonly others: readonly string[];
  /** In the order of their evaluation. */
  readonly rows: readonly Performance[];
  /** All tasks at once, so that none is learned after another: nothing is forgotten or transferred between tasks. */
  readonly joint?: boolean;
}

/** Null: not defined, or something it needs was not measured. */
export interface ContinualScores {
  /** Mean over the distinct tasks of the sequence after the last stage. */
  readonly averagePerformance: number | null;
  /** Spec §6.4: mean over the tasks of (last value while the task was current - latest value). */
  readonly forgetting: number | null;
  /** Chaudhry et al. 2018: mean over all tasks but the last of (best value after any earlier stage - final value). */
  readonly forgettingFromBest: number | null;
  /** Lopez-Paz and Ranzato 2017: mean over all tasks but the last of (final value - value right after learning). */
  readonly backwardTransfer: number | null;
  /** Mean of the other tasks after the last stage, as a share of what it was before learning. */
  readonly retention: number | null;
}

/** Scores of one continual training. Of several measurements of a task in a stage the latest counts. */
export function continualScores(result: ContinualResult): ContinualScores {
  const { sequence, others, joint = false } = result;
  const tasks = [...new Set(sequence)];
  const last = sequence.length;
  const valueAt = latestValues(result.rows);
  const final = (task: string): number | null => valueAt(last, task);
  const whenLearned = (task: string): number | null => valueAt(sequence.lastIndexOf(task) + 1, task);
  const earlier = tasks.filter((task) => sequence.lastIndexOf(task) < last - 1);
  const before = mean(others.map((task) => valueAt(0, task)));
  const after = mean(others.map(final));
  const inOrder = (values: readonly (number | null)[]): number | null => (joint ? null : mean(values));
  return {
    averagePerformance: mean(tasks.map(final)),
    forgetting: inOrder(tasks.map((task) => difference(whenLearned(task), final(task)))),
    forgettingFromBest: inOrder(earlier.map((task) => difference(bestBefore(valueAt, last, task), final(task)))),
    backwardTransfer: inOrder(earlier.map((task) => difference(final(task), whenLearned(task)))),
    retention: before === null || after === null || before === 0 ? null : after / before,
  };
}

/**
 * Mean over its own stage of a task's value, by the trapezoidal rule over the updates at which it was measured; the stage begins with
 * the last measurement before it (Wołczyk et al. 2021). The first time a task is learned counts.
 *
 * @returns null without a measurement at the beginning and one in the stage
 */
export function areaWhileLearning({ sequence, rows }: ContinualResult, task: string): number | null {
  const stage = sequence.indexOf(task) + 1;
  if (stage === 0) return null;
  const own = rows.filter((row) => row.task === task);
  const start = own.findLast((row) => row.stage < stage);
  const curve = own.filter((row) => row.stage === stage);
  const end = curve.at(-1);
  if (start === undefined || end === undefined || end.update <= start.update) return null;
  let area = 0;
  [start, ...curve].forEach((point, i, points) => {
    const next = points[i + 1];
    if (next !== undefined) area += ((point.value + next.value) / 2) * (next.update - point.update);
  });
  return area / (end.update - start.update);
}

/**
 * Forward transfer as in Continual World: (AUC - reference) / (1 - reference), mean over the tasks.
 *
 * @param references area of each task learned alone with the same budget, by task
 * @returns null unless some task has both areas; tasks whose reference is 1 are left out, for they cannot be learned faster
 */
export function forwardTransfer(result: ContinualResult, references: ReadonlyMap<string, number>): number | null {
  const gains = [...new Set(result.sequence)].flatMap((task) => {
    const area = areaWhileLearning(result, task);
    const reference = references.get(task);
    if (area === null || reference === undefined || reference >= 1) return [];
    return [(area - reference) / (1 - reference)];
  });
  return result.joint === true || gains.length === 0 ? null : mean(gains);
}

type ValueAt = (stage: number, task: string) => number | null;

function latestValues(rows: readonly Performance[]): ValueAt {
  const latest = new Map(rows.map((row) => [`${row.stage} ${row.task}`, row.value] as const));
  return (stage, task) => latest.get(`${stage} ${task}`) ?? null;
}

function bestBefore(valueAt: ValueAt, last: number, task: string): number | null {
  let best: number | null = null;
  for (let stage = 1; stage < last; stage++) {
    const value = valueAt(stage, task);
    if (value !== null && (best === null || value > best)) best = value;
  }
  return best;
}

function difference(a: number | null, b: number | null): number | null {
  return a === null || b === null ? null : a - b;
}

/** Null if there is none or one of them is missing: a mean over fewer tasks would be another figure under the same name. */
function mean(values: readonly (number | null)[]): number | null {
  if (values.length === 0) return null;
  let sum = 0;
  for (const value of values) {
    if (value === null) return null;
    sum += value;
  }
  return sum / values.length;
}
