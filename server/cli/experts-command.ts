import type { Command } from 'commander';
import { listExperts, type ExpertRow } from '../experts/list-experts.ts';
import { addConfigOptions, configOf } from './config-options.ts';
import { plainTable } from './continual-tables.ts';

interface ExpertsOptions extends Record<string, unknown> {
  readonly json?: true;
}

/** `l2m experts`: how far trained experts have come. */
export function addExpertsCommand(program: Command): void {
  const command = program
    .command('experts')
    .description('how far trainings of experts have come, and what the shipped experts reach')
    .option('--json', 'print JSON');
  addConfigOptions(command, ['data']).addHelpText(
    'after',
    '\nExamples:\n  $ npx l2m experts\n  $ npx l2m train-expert --task cartpole-swingup\n' +
      '\n"share": the best return by the mean of the reference\'s data (spec §6.5); "reached": after how many steps of the\n' +
      'simulator an evaluation first had that mean.\n',
  );
  command.action(async (options: ExpertsOptions) => {
    const rows = await listExperts(configOf(options).data);
    process.stdout.write(options.json === true ? `${JSON.stringify(rows, null, 2)}\n` : expertsText(rows));
  });
}

export function expertsText(rows: readonly ExpertRow[]): string {
  if (rows.length === 0) return 'no experts yet: npx l2m train-expert --task cartpole-swingup\n';
  const table = plainTable(['task', 'training', 'steps', 'best return', 'at step', 'data mean', 'share', 'reached'], 2);
  for (const { task, source, steps, best, dataMean, share, reachedAt } of rows) {
    table.push([
      ...[task, source ?? 'shipped', String(steps)],
      ...[best?.meanReturn.toFixed(1) ?? '–', best === null ? '–' : String(best.steps)],
      ...[dataMean?.toFixed(1) ?? '–', share?.toFixed(2) ?? '–', reachedAt === null ? '–' : String(reachedAt)],
    ]);
  }
  const judged = rows.filter(({ share }) => share !== null);
  const reached = judged.filter(({ share }) => (share ?? 0) >= 1).length;
  return `${table.toString()}\n${reached} of ${judged.length} have reached the data mean\n`;
}
