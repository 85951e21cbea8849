import Table from 'cli-table3';
import type { Rate, RunSummary, TaskScore } from '../../protocol/dashboard-views.ts';

/** The result of a run as text: one row a task, both definitions of success with 95 % Wilson intervals, errors apart. */
export function scoreTable(summary: RunSummary): string {
  const means = [
    `mean over tasks: success at any time ${percent(summary.meanSuccessAnyTime)}, at the last step ${percent(summary.meanSuccessAtEnd)}`,
    `${summary.finishedEpisodes} of ${summary.plannedEpisodes} episodes, ${summary.errorEpisodes} errors, ${assistedText(summary)}${summary.redoneEpisodes} redone, ` +
      `${summary.steps} steps, ${summary.stepsPerSecond.toFixed(0)} steps/s`,
  ];
  return `${taskTable(summary.tasks)}\n${means.join('\n')}\n`;
}

/** Only where there were any: nobody has a part in most runs. */
function assistedText({ assistedEpisodes = 0 }: RunSummary): string {
  return assistedEpisodes === 0 ? '' : `${assistedEpisodes} assisted by a person and not scored, `;
}

/** One row a task. */
export function taskTable(scores: readonly TaskScore[]): string {
  const table = new Table({
    head: ['task', 'success at any time', 'success at last step', 'first', 'return', 'normalised', 'errors'],
    colAligns: ['left', 'left', 'left', 'right', 'right', 'right', 'right'],
    style: { head: [], border: [], compact: true },
    chars: PLAIN_LINES,
  });
  for (const score of scores) table.push(rowOf(score));
  return table.toString();
}

function rowOf(score: TaskScore): string[] {
  return [
    score.task,
    rateText(score.successAnyTime),
    rateText(score.successAtEnd),
    score.firstSuccessStep === null ? '–' : String(Math.round(score.firstSuccessStep)),
    score.meanReturn === null ? '–' : score.meanReturn.toFixed(1),
    score.normalizedScore === null ? '–' : score.normalizedScore.toFixed(3),
    String(score.errors),
  ];
}

/** `9/10  90.0 % [59.6, 98.2]` */
export function rateText(rate: Rate): string {
  if (rate.rate === null || rate.interval === null) return '–';
  const { low, high } = rate.interval;
  const interval = `[${(100 * low).toFixed(1)}, ${(100 * high).toFixed(1)}]`;
  return `${rate.successes}/${rate.episodes}  ${percent(rate.rate)} ${interval}`;
}

function percent(rate: number | null): string {
  return rate === null ? '–' : `${(100 * rate).toFixed(1)} %`;
}

const NOTHING = { top: '', 'top-mid': '', 'top-left': '', 'top-right': '', bottom: '', 'bottom-mid': '' };
/** No rules: columns apart by two spaces, so that a table can be pasted anywhere. */
export const PLAIN_LINES = {
  ...NOTHING,
  ...{ 'bottom-left': '', 'bottom-right': '', left: '', 'left-mid': '', mid: '', 'mid-mid': '', right: '' },
  ...{ 'right-mid': '', middle: ' ' },
};
