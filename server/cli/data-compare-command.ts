import type { Command } from 'commander';
import { join } from 'node:path';
import type { Rate } from '../../agent/scoring/success.ts';
import { expandTasks } from '../../agent/tasks/expand-tasks.ts';
import { findDataSets } from '../data/data-sets.ts';
import { openDataSet } from '../data/open-data-set.ts';
import { summariseDataSet, type DataSetSummary } from '../data/summarise-data-set.ts';
import { addConfigOptions, configOf } from './config-options.ts';

interface CompareOptions extends Record<string, unknown> {
  readonly tasks?: string;
}

/** `l2m data compare expert keep-goal`: success of each task by both definitions, source beside source, as Markdown. */
export function addDataCompareCommand(parent: Command): void {
  const command = parent
    .command('compare')
    .description('success of each task, source beside source, as a Markdown table')
    .argument('<sources...>', 'sources, such as expert keep-goal')
    .option('--tasks <list>', 'only these tasks and groups');
  addConfigOptions(command, ['data']).addHelpText(
    'after',
    '\nExamples:\n' +
      '  $ npx l2m collect --tasks MT50 --episodes 24\n' +
      '  $ npx l2m collect --tasks MT50 --episodes 24 --variant keep-goal\n' +
      '  $ npx l2m data compare expert keep-goal\n',
  );
  command.action(async (sources: readonly string[], options: CompareOptions) => {
    const folder = join(configOf(options).data, 'trajectories');
    const tasks = options.tasks === undefined ? {} : { tasks: expandTasks(options.tasks.split(',')) };
    const bySource: Map<string, DataSetSummary>[] = [];
    for (const source of sources) bySource.push(await summariesOf(folder, { source, ...tasks }));
    process.stdout.write(`${tableText(sources, bySource)}\n`);
  });
}

async function summariesOf(
  folder: string,
  choice: Parameters<typeof findDataSets>[1],
): Promise<Map<string, DataSetSummary>> {
  const summaries = new Map<string, DataSetSummary>();
  for (const place of await findDataSets(folder, choice)) {
    const set = await openDataSet(place);
    if (set === undefined) continue;
    try {
      summaries.set(place.task, await summariseDataSet(set));
    } finally {
      await set.close();
    }
  }
  return summaries;
}

/** One row a task that any source has, then the mean over the tasks that all have. */
function tableText(sources: readonly string[], bySource: readonly ReadonlyMap<string, DataSetSummary>[]): string {
  const tasks = [...new Set(bySource.flatMap((summaries) => [...summaries.keys()]))].sort();
  const common = tasks.filter((task) => bySource.every((summaries) => summaries.has(task)));
  const columns = sources.flatMap((source) => [
    `${source}: episodes`,
    'any time',
    'last step',
    'without noise: any time',
    'last step',
  ]);
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;
  const means = bySource.flatMap((summaries) => {
    const rows = common.map((task) => summaries.get(task));
    const mean = (rate: (summary: DataSetSummary | undefined) => Rate | null | undefined) =>
      percent(rows.reduce((sum, summary) => sum + (rate(summary)?.rate ?? 0), 0) / Math.max(1, rows.length));
    return [
      String(rows.reduce((sum, summary) => sum + (summary?.episodes ?? 0), 0)),
      mean((summary) => summary?.successAnyTime),
      mean((summary) => summary?.successAtEnd),
      mean((summary) => summary?.byNoise['0']?.successAnyTime),
      mean((summary) => summary?.byNoise['0']?.successAtEnd),
    ];
  });
  return [
    line(['task', ...columns]),
    line(['---', ...columns.map(() => '---:')]),
    ...tasks.map((task) => line([task, ...bySource.flatMap((summaries) => cellsOf(summaries.get(task)))])),
    line([`mean of ${common.length} tasks`, ...means]),
  ].join('\n');
}

function cellsOf(summary: DataSetSummary | undefined): string[] {
  const quiet = summary?.byNoise['0'];
  const rates = [summary?.successAnyTime, summary?.successAtEnd, quiet?.successAnyTime, quiet?.successAtEnd];
  return [String(summary?.episodes ?? '–'), ...rates.map((rate) => (rate ? percent(rate.rate) : '–'))];
}

function percent(share: number): string {
  return `${(100 * share).toFixed(0)} %`;
}
