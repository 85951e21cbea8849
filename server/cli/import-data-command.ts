import type { Command } from 'commander';
import { basename, join } from 'node:path';
import { expandTasks } from '../../agent/tasks/expand-tasks.ts';
import { L2mError } from '../errors.ts';
import { importData, type DataReport } from '../learning/import-data.ts';
import { addConfigOptions, configOf } from './config-options.ts';
import { packageVersion } from './package-version.ts';
import { ProgressLine } from './progress-line.ts';

interface ImportDataCommandOptions extends Record<string, unknown> {
  readonly task?: string;
  readonly source: string;
  readonly json?: true;
  readonly overwrite?: true;
}

/** `l2m import data`: the reference's .npz files into trajectory files. */
export function addImportDataCommand(parent: Command): void {
  const command = parent
    .command('data')
    .description('turn data sets of the reference (.npz) into trajectories to learn from')
    .argument('<path>', 'an .npz file, a folder with one for each task, or a folder with one for each episode')
    .option('--task <name>', 'the task, where the name of the file does not say it')
    .option('--source <name>', 'name of the data set', 'reference')
    .option('--json', 'print the report as JSON')
    .option('--overwrite', 'replace what this source has of the task');
  addConfigOptions(command, ['data']).addHelpText(
    'after',
    '\nExamples:\n' +
      '  $ npx l2m import data metaworld/hammer-v2.npz\n' +
      '  $ npx l2m import data dm_control_1M/ --source paper\n' +
      '  $ npx l2m pretrain --tasks DMC16 --source paper\n' +
      '\nPickled data sets (.pkl) are refused: reading them would execute them.\n',
  );
  command.action(run);
}

async function run(path: string, options: ImportDataCommandOptions): Promise<void> {
  const progress = new ProgressLine();
  const tasks = options.task === undefined ? [] : expandTasks([options.task]);
  if (tasks.length > 1)
    throw new L2mError('L2M_CONFIG_INVALID', `--task ${options.task ?? ''} stands for several tasks`);
  const reports = await importData(path, {
    folder: join(configOf(options).data, 'trajectories'),
    task: tasks[0],
    source: options.source,
    overwrite: options.overwrite === true,
    notes: { command: `npx l2m import data ${basename(path)}`, versions: { l2m: packageVersion() } },
    onProgress: (what) => progress.update(what),
  });
  progress.end();
  if (options.json === true) process.stdout.write(`${JSON.stringify(reports, null, 2)}\n`);
  else process.stdout.write(reports.map(reportText).join(''));
}

function reportText(report: DataReport): string {
  const { task, path, episodes, transitions, sha256, shortEpisodes, unfinishedSteps, clippedActions } = report;
  return [
    `${task}: ${episodes} episodes, ${transitions} transitions, sha256 ${sha256.slice(0, 16)}`,
    `  used ${report.used.join(', ')}; skipped ${report.skipped.join(', ') || 'nothing'}`,
    `  left out ${shortEpisodes} episodes of fewer than 5 steps and ${unfinishedSteps} steps at the end; clipped ${clippedActions} actions`,
    ...report.missing.map((what) => `  missing ${what}`),
    `  ${path}\n`,
  ].join('\n');
}
