import type { Command } from 'commander';
import Table from 'cli-table3';
import type { Rate } from '../../agent/scoring/success.ts';
import { openDataSet } from '../data/open-data-set.ts';
import { sparklineOf } from '../data/return-histogram.ts';
import { summariseDataSet, type DataSetSummary } from '../data/summarise-data-set.ts';
import { addDataOptions, chosenDataSets, type DataOptions } from './data-options.ts';
import { PLAIN_LINES } from './score-table.ts';

interface ListOptions extends DataOptions {
  readonly json?: true;
  readonly details?: true;
}

/** `l2m data [list]` */
export function addDataListCommand(parent: Command): void {
  const command = parent
    .command('list', { isDefault: true })
    .description('tasks, episodes, returns, success and provenance of what was collected')
    .option('--json', 'print JSON')
    .option('--details', 'also levels of noise, hashes and provenance');
  addDataOptions(command).addHelpText(
    'after',
    '\nExamples:\n' +
      '  $ npx l2m data\n' +
      '  $ npx l2m data --tasks reach-v3,door-open-v3 --details\n' +
      '  $ npx l2m data verify\n' +
      '  $ npx l2m data export --format minari --to ~/.minari/datasets --tasks reach-v3\n' +
      '\nNothing is changed, so that it may be asked while a collection is running.\n',
  );
  command.action(async (options: ListOptions) => {
    const summaries: DataSetSummary[] = [];
    for (const place of await chosenDataSets(options)) {
      const set = await openDataSet(place);
      if (set === undefined) continue;
      try {
        summaries.push(await summariseDataSet(set));
      } finally {
        await set.close();
      }
    }
    process.stdout.write(
      options.json === true ? `${JSON.stringify(summaries, null, 2)}\n` : listText(summaries, options),
    );
  });
}

function listText(summaries: readonly DataSetSummary[], { details }: ListOptions): string {
  const table = new Table({
    head: ['task', 'source', 'episodes', 'transitions', 'any time', 'last step', 'returns', 'from low to high'],
    colAligns: ['left', 'left', 'right', 'right', 'right', 'right', 'right', 'left'],
    style: { head: [], border: [], compact: true },
    chars: PLAIN_LINES,
  });
  for (const each of summaries) table.push(rowOf(each));
  const total = (part: (summary: DataSetSummary) => number) => summaries.reduce((sum, each) => sum + part(each), 0);
  const lines = [
    table.toString(),
    `${summaries.length} data sets, ${total((each) => each.episodes)} episodes, ${total((each) => each.transitions)} transitions`,
  ];
  const open = summaries.filter(({ state }) => state === 'collecting');
  if (open.length > 0) {
    lines.push(
      `+ with ${total((each) => each.unfinishedEpisodes)} episodes that are not in a finished file yet: being collected, or interrupted; ` +
        'the same collection, given again, finishes them',
    );
  }
  if (details === true) lines.push(...summaries.map(detailsText));
  return `${lines.join('\n')}\n`;
}

function rowOf(summary: DataSetSummary): string[] {
  const { task, source, state, episodes, transitions, returns, meanReturn } = summary;
  return [
    task,
    source,
    `${episodes}${state === 'collecting' ? '+' : ''}`,
    String(transitions),
    percentOf(summary.successAnyTime),
    percentOf(summary.successAtEnd),
    returns === null ? '–' : `${returns.low.toFixed(0)} … ${meanReturn.toFixed(0)} … ${returns.high.toFixed(0)}`,
    returns === null ? '' : sparklineOf(returns.counts),
  ];
}

function detailsText(summary: DataSetSummary): string {
  const { task, source, sha256, provenance, byNoise } = summary;
  const levels = Object.entries(byNoise).map(
    ([noise, part]) =>
      `  noise ${noise}: ${part.episodes} episodes, return ${part.meanReturn.toFixed(1)}, ` +
      `success ${percentOf(part.successAnyTime)} at any time, ${percentOf(part.successAtEnd)} at the last step`,
  );
  return [
    `\n${task} of ${source}`,
    `  sha256 ${sha256 ?? 'not yet: nothing is finished'}`,
    `  ${JSON.stringify(provenance.identity)}`,
    `  ${JSON.stringify(provenance.notes)}`,
    ...levels,
  ].join('\n');
}

function percentOf(rate: Rate | null): string {
  return rate === null ? '–' : `${(100 * rate.rate).toFixed(0)} %`;
}
