import Table from 'cli-table3';
import { bootstrapMean } from '../../agent/scoring/bootstrap.ts';
import { evaluatedTasks, type EvaluationRow } from '../continual/evaluation-rows.ts';
import { timetableOf, type ContinualSettings } from '../continual/continual-options.ts';
import type { MethodName } from '../continual/methods.ts';
import { stageAfter } from '../continual/timetable.ts';
import type { ContinualSummary } from '../continual/summary.ts';
import type { SweepRow } from '../continual/sweep.ts';
import { durationText } from './progress-line.ts';
import { PLAIN_LINES } from './score-table.ts';

/** The performance matrix as text: one row a task, one column a stage; any-time success, or the normalised return. */
export function matrixTable(rows: readonly EvaluationRow[], settings: ContinualSettings): string {
  const timetable = timetableOf(settings);
  const stages = [...new Set(rows.map(({ update }) => stageAfter(timetable, update)))].sort((a, b) => a - b);
  const latest = new Map<string, EvaluationRow>();
  for (const row of [...rows].sort((a, b) => a.update - b.update)) {
    latest.set(`${stageAfter(timetable, row.update)} ${row.task}`, row);
  }
  const table = plainTable(['task', ...stages.map((stage) => (stage === 0 ? 'before' : String(stage)))], 1);
  for (const task of evaluatedTasks(settings)) {
    const learned = settings.sequence.includes(task) ? '' : ' (pre-training)';
    table.push([`${task}${learned}`, ...stages.map((stage) => cellOf(latest.get(`${stage} ${task}`)))]);
  }
  return table.toString();
}

function cellOf(row: EvaluationRow | undefined): string {
  if (row === undefined) return '–';
  if (row.anyTime === null) return row.normalizedScore?.toFixed(2) ?? '–';
  return `${row.anyTime}/${row.episodes}`;
}

/** Scores of one training, by both definitions of success. */
export function scoreLines({ anyTime, atEnd, trainableParameters, trainingSeconds }: ContinualSummary): string {
  const figure = (value: number | null) => value?.toFixed(3) ?? '–';
  const line = (what: string, scores: ContinualSummary['anyTime']) =>
    `${what}: average ${figure(scores.averagePerformance)}, forgetting ${figure(scores.forgetting)} ` +
    `(from the best ${figure(scores.forgettingFromBest)}), backward transfer ${figure(scores.backwardTransfer)}, ` +
    `retention ${figure(scores.retention)}`;
  return [
    line('success at any time', anyTime),
    line('success at the last step', atEnd),
    `${trainableParameters} weights learned in ${durationText(trainingSeconds)}`,
  ].join('\n');
}

/** One row a method: means over the seeds with 95 % bootstrap intervals. */
export function sweepTable(rows: readonly SweepRow[], methods: readonly MethodName[]): string {
  const table = plainTable(
    [
      'method',
      'seeds',
      'average',
      'at the end',
      'forgetting',
      'from best',
      'backward',
      'forward',
      'retention',
      'weights',
      'time',
    ],
    1,
  );
  for (const method of methods) {
    const own = rows.filter((row) => row.method === method);
    const over = (value: (row: SweepRow) => number | null) => intervalText(own.map(value));
    table.push([
      method,
      String(own.length),
      over(({ summary }) => summary.anyTime.averagePerformance),
      over(({ summary }) => summary.atEnd.averagePerformance),
      over(({ summary }) => summary.anyTime.forgetting),
      over(({ summary }) => summary.anyTime.forgettingFromBest),
      over(({ summary }) => summary.anyTime.backwardTransfer),
      over((row) => row.forwardTransfer),
      over(({ summary }) => summary.anyTime.retention),
      own[0] === undefined ? '–' : String(own[0].summary.trainableParameters),
      meanTime(own),
    ]);
  }
  return table.toString();
}

/** Of one training, evaluations left out. */
function meanTime(rows: readonly SweepRow[]): string {
  if (rows.length === 0) return '–';
  return durationText(rows.reduce((sum, { summary }) => sum + summary.trainingSeconds, 0) / rows.length);
}

/** `0.65 [0.61, 0.70]`; values that are not there are left out. */
function intervalText(values: readonly (number | null)[]): string {
  const found = bootstrapMean(values.filter((value) => value !== null));
  if (found === null) return '–';
  const { mean, interval } = found;
  return interval === null
    ? mean.toFixed(2)
    : `${mean.toFixed(2)} [${interval.lower.toFixed(2)}, ${interval.upper.toFixed(2)}]`;
}

/** A table without rules, its first columns on the left. */
export function plainTable(head: string[], left: number): Table.Table {
  return new Table({
    head,
    colAligns: head.map((_, column) => (column < left ? 'left' : 'right')),
    style: { head: [], border: [], compact: true },
    chars: PLAIN_LINES,
  });
}
