import type { Command } from 'commander';
import Table from 'cli-table3';
import type { ExportFormat } from '../store/run-store.ts';
import { addConfigOptions, configOf } from './config-options.ts';
import { oneOf, wholeNumber } from './option-values.ts';
import { openRunSource, type RunSource } from './run-source.ts';
import { PLAIN_LINES, taskTable } from './score-table.ts';

interface RunsOptions extends Record<string, unknown> {
  readonly limit: number;
  readonly json?: true;
  readonly export?: string;
  readonly format: ExportFormat;
}

/** `l2m runs`: what is in the data directory; one run in full, or as a file. */
export function addRunsCommand(program: Command): void {
  const command = program
    .command('runs')
    .description('list the runs in the data directory, or show or export one')
    .argument('[run]', 'name of a run')
    .option('--limit <number>', 'most runs to list', wholeNumber(1, 1000), 20)
    .option('--json', 'print JSON')
    .option('--export <file>', 'write the run to a file')
    .option('--format <name>', 'json, csv or parquet', oneOf<ExportFormat>(['json', 'csv', 'parquet']), 'json');
  addConfigOptions(command, ['data']).addHelpText(
    'after',
    '\nExamples:\n' +
      '  $ npx l2m runs\n' +
      '  $ npx l2m runs evaluate-20261123-192057-9td\n' +
      '  $ npx l2m runs evaluate-20261123-192057-9td --export episodes.parquet --format parquet\n' +
      '\nWhile a server has the directory open, it is asked; where it wants a token, set L2M_TOKEN.\n',
  );
  command.action(async (run: string | undefined, options: RunsOptions) => {
    const source = await openRunSource(configOf(options).data, process.env['L2M_TOKEN']);
    try {
      if (run === undefined) await listRuns(source, options);
      else await showRun(source, run, options);
    } finally {
      await source.close();
    }
  });
}

async function listRuns(source: RunSource, options: RunsOptions): Promise<void> {
  const { total, runs } = await source.list(options.limit);
  if (options.json === true) {
    process.stdout.write(`${JSON.stringify(runs, null, 2)}\n`);
    return;
  }
  const table = new Table({
    head: ['run', 'state', 'policy', 'protocol', 'episodes', 'errors', 'started'],
    style: { head: [], border: [], compact: true },
    chars: PLAIN_LINES,
  });
  for (const run of runs) {
    const episodes = `${run.finishedEpisodes}/${run.plannedEpisodes}`;
    table.push([
      run.run,
      run.state,
      run.policy,
      run.protocol ?? '–',
      episodes,
      run.errorEpisodes,
      run.startedAt.slice(0, 16),
    ]);
  }
  process.stdout.write(`${table.toString()}\n${runs.length} of ${total} runs\n`);
}

async function showRun(source: RunSource, run: string, options: RunsOptions): Promise<void> {
  if (options.export !== undefined) {
    await source.export(run, options.export, options.format);
    process.stdout.write(`${options.export}\n`);
    return;
  }
  const { run: stored, scores } = await source.show(run);
  if (options.json === true) {
    process.stdout.write(`${JSON.stringify({ run: stored, scores }, null, 2)}\n`);
    return;
  }
  const { state, message, policy, protocol, seed, startedAt } = stored;
  process.stdout.write(
    `${run}: ${state}${message === '' ? '' : ` (${message})`}; ${policy}, ${protocol ?? ''}, seed ${seed}, ${startedAt}\n`,
  );
  process.stdout.write(`${taskTable(scores)}\n`);
}
