import type { ComparedScore } from '../../protocol/comparison.ts';
import type { AdaptationResult } from '../adaptation/adaptation-events.ts';
import type { RoundRow } from '../adaptation/journal.ts';
import { plainTable } from './continual-tables.ts';
import { rateText } from './score-table.ts';

/** What an adaptation brought: its rounds, then every reported task before and after on the same starts. */
export function adaptTable({ rows, comparison, settings, version }: AdaptationResult): string {
  const parts = [roundsTable(rows)];
  if (comparison !== undefined) {
    const table = plainTable(['task', 'before', 'after', 'gained', 'lost', 'p'], 1);
    for (const { task, scores } of comparison.tasks) {
      const [before, after] = scores;
      if (before === undefined || after === undefined) continue;
      table.push([task === settings.task ? task : `${task} (other)`, ...cellsOf(before, after, settings.success)]);
    }
    parts.push(table.toString(), `success ${settings.success === 'any-time' ? 'at any time' : 'at the last step'}`);
  }
  const promoted = rows.filter(({ decision }) => decision === 'promoted').length;
  const rolledBack = rows.filter(({ decision }) => decision === 'rolled-back').length;
  parts.push(`${promoted} versions promoted, ${rolledBack} rolled back; version ${version} acts`);
  return parts.join('\n');
}

function roundsTable(rows: readonly RoundRow[]): string {
  const head = [
    'round',
    'acting',
    'at once',
    'solved',
    'kept',
    'learned from',
    'updates',
    'gained',
    'lost',
    'tied',
    '',
  ];
  const table = plainTable(head, 0);
  for (const row of rows) {
    const { round, version, solvedAtOnce, solved, starts, kept, learnedFrom, updates, gained, lost, tied } = row;
    table.push([
      ...[String(round), String(version), `${solvedAtOnce}/${starts}`, `${solved}/${starts}`],
      ...[kept, learnedFrom, updates, gained, lost, tied].map(String),
      row.decision.replace('-', ' '),
    ]);
  }
  return table.toString();
}

/** Success where the task knows it, else returns. */
function cellsOf(before: ComparedScore, after: ComparedScore, success: 'any-time' | 'at-end'): string[] {
  const anyTime = success === 'any-time';
  const rateOf = (score: ComparedScore) => (anyTime ? score.successAnyTime : score.successAtEnd);
  const paired = anyTime ? after.pairedAnyTime : after.pairedAtEnd;
  const number = (value: number | null | undefined, digits: number) => value?.toFixed(digits) ?? '–';
  if (rateOf(before).episodes === 0) {
    const { higher, lower, pValue } = after.pairedReturns ?? {};
    const returns = [number(before.meanReturn, 1), number(after.meanReturn, 1)];
    return [...returns, number(higher, 0), number(lower, 0), number(pValue, 3)];
  }
  const pairs = [number(paired?.gained, 0), number(paired?.lost, 0), number(paired?.pValue, 3)];
  return [rateText(rateOf(before)), rateText(rateOf(after)), ...pairs];
}
