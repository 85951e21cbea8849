import type { ContinualResult } from '../../agent/scoring/continual.ts';
import type { TaskScore } from '../../protocol/dashboard-views.ts';
import { PERFORMANCE_MATRIX_FILE, type PerformanceMatrix } from '../../protocol/performance-matrix.ts';
import type { TaskId } from '../../protocol/task.ts';
import { join } from 'node:path';
import { readRows } from '../learning/row-log.ts';
import { timetableOf, type ContinualSettings } from './continual-options.ts';
import { CONTINUAL_METHODS, type ContinualMethod } from './methods.ts';
import { writeWhole, type RunFolder } from './run-folder.ts';
import { stageAfter } from './timetable.ts';

/** One task in one evaluation; a line of `evaluations.jsonl`. */
export interface EvaluationRow {
  readonly update: number;
  readonly task: TaskId;
  /** Scored episodes; errors are counted apart. */
  readonly episodes: number;
  readonly errors: number;
  /** Successful episodes by both definitions; null where the task has no success. */
  readonly anyTime: number | null;
  readonly atEnd: number | null;
  readonly meanReturn: number | null;
  readonly normalizedScore: number | null;
  /** Steps decided by each row of the pool, over all episodes; empty without a pool. */
  readonly modulators: Readonly<Record<string, number>>;
  /** The same by key; absent where every key has a row of its own. */
  readonly keys?: Readonly<Record<string, number>>;
}

/** Steps by row of the pool and by key. */
export interface StepCounts {
  readonly rows: Map<number, number>;
  readonly keys: Map<number, number>;
}

export function rowOf(update: number, score: TaskScore, steps: StepCounts | undefined): EvaluationRow {
  const { successAnyTime, successAtEnd } = score;
  const hasSuccess = successAnyTime.episodes > 0;
  return {
    ...{ update, task: score.task, episodes: score.finished, errors: score.errors },
    anyTime: hasSuccess ? successAnyTime.successes : null,
    atEnd: hasSuccess ? successAtEnd.successes : null,
    ...{ meanReturn: score.meanReturn, normalizedScore: score.normalizedScore },
    modulators: inOrder(steps?.rows),
    ...(steps === undefined || steps.keys.size === 0 ? {} : { keys: inOrder(steps.keys) }),
  };
}

function inOrder(counts: ReadonlyMap<number, number> = new Map<number, number>()): Record<string, number> {
  return Object.fromEntries([...counts].sort(([a], [b]) => a - b));
}

/** Every task that an evaluation runs: those of the sequence, each once, then those that are only evaluated. */
export function evaluatedTasks({ sequence, others }: Pick<ContinualSettings, 'sequence' | 'others'>): TaskId[] {
  return [...new Set([...sequence, ...others])];
}

/** Rows of whole evaluations; what a killed session left of one is passed over. */
export function wholeRows(path: string, settings: ContinualSettings): EvaluationRow[] {
  const rows = readRows<EvaluationRow>(path);
  const counts = new Map<number, number>();
  for (const { update } of rows) counts.set(update, (counts.get(update) ?? 0) + 1);
  const whole = evaluatedTasks(settings).length;
  return rows.filter(({ update }) => (counts.get(update) ?? 0) >= whole);
}

/** Which of the two definitions of success a score counts (spec §6.1 takes the last step). */
export type SuccessDefinition = 'any-time' | 'at-end';

/** What the scores of continual learning are made from; tasks without success count by their normalised return. */
export function resultOf(
  rows: readonly EvaluationRow[],
  settings: ContinualSettings,
  definition: SuccessDefinition,
): ContinualResult {
  const { sequence, others, method } = settings;
  const { joint }: ContinualMethod = CONTINUAL_METHODS[method];
  const timetable = timetableOf(settings);
  const sorted = [...rows].sort((a, b) => a.update - b.update);
  return {
    ...{ sequence, others, joint: joint === true },
    rows: sorted.flatMap(({ update, task, episodes, anyTime, atEnd, normalizedScore }) => {
      const successes = definition === 'any-time' ? anyTime : atEnd;
      const value = successes === null ? normalizedScore : successes / episodes;
      return value === null ? [] : [{ stage: stageAfter(timetable, update), task, value, update }];
    }),
  };
}

/** The form that the page shows. */
export function matrixOf(
  run: { readonly name: string; readonly settings: ContinualSettings; readonly state: PerformanceMatrix['state'] },
  rows: readonly EvaluationRow[],
): PerformanceMatrix {
  const { name, settings, state } = run;
  const { sequence, others, method, seed } = settings;
  const { joint }: ContinualMethod = CONTINUAL_METHODS[method];
  const timetable = timetableOf(settings);
  const sorted = [...rows].sort((a, b) => a.update - b.update);
  return {
    ...{ format: 'l2m-performance-matrix-1', name, method, seed, state, sequence: [...sequence], others: [...others] },
    rows: sorted.map(({ update, task, episodes, anyTime, normalizedScore }) => {
      const stage = stageAfter(timetable, update);
      return {
        ...{ stage, stageTask: stage === 0 || joint === true ? null : (sequence[stage - 1] ?? null), task, update },
        ...{ success: anyTime === null ? null : anyTime / Math.max(1, episodes), k: anyTime ?? 0, n: episodes },
        ...(anyTime === null && normalizedScore !== null ? { score: normalizedScore } : {}),
      };
    }),
  };
}

export function writeMatrix(folder: RunFolder, matrix: PerformanceMatrix): Promise<void> {
  return writeWhole(join(folder.path, PERFORMANCE_MATRIX_FILE), `${JSON.stringify(matrix)}\n`);
}
