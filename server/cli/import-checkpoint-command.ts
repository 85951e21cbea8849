import type { Command } from 'commander';
import { basename, join } from 'node:path';
import { importCheckpoint, type ImportReport } from '../checkpoints/import-checkpoint.ts';
import { currentProvenance } from '../provenance.ts';
import { addConfigOptions, configOf } from './config-options.ts';
import { numberWithin, wholeNumber } from './option-values.ts';

interface ImportCheckpointCommandOptions extends Record<string, unknown> {
  readonly to?: string;
  readonly heads?: number;
  readonly context?: number;
  readonly actionSize?: number;
  readonly scaling?: number;
  readonly selected?: number;
  readonly check?: true;
  readonly json?: true;
  readonly overwrite?: true;
}

/** `l2m import checkpoint`: the reference's zip into a checkpoint folder; nothing in the file is executed. */
export function addImportCheckpointCommand(parent: Command): void {
  const command = parent
    .command('checkpoint')
    .description(
      'turn a checkpoint of the reference (a zip with policy.pth inside, or policy.pth itself) into a folder',
    )
    .argument('<file>', 'the checkpoint')
    .option('--to <folder>', 'where it goes (default: checkpoints/<name of the file> in the data directory)')
    .option('--heads <number>', 'attention heads (default: one for every 64 of the width)', wholeNumber(1, 1024))
    .option('--context <number>', 'timesteps of a window (default 5)', wholeNumber(1, 1024))
    .option('--action-size <number>', 'padded action dimensions (default 6)', wholeNumber(1, 1024))
    .option('--scaling <number>', 'of LoRA modulators, alpha over rank (default 2)', numberWithin(0, 1000))
    .option('--selected <number>', 'prompts of a pool that a window gets (default 5)', wholeNumber(1, 1024))
    .option('--check', 'only say what the file holds')
    .option('--json', 'print the report as JSON')
    .option('--overwrite', 'replace a checkpoint that is there already');
  addConfigOptions(command, ['data']).addHelpText(
    'after',
    '\nExamples:\n' +
      '  $ npx l2m import checkpoint dt_mediumplus_64.zip --check\n' +
      '  $ npx l2m import checkpoint dt_mediumplus_64.zip --to data/checkpoints/paper\n' +
      '  $ npx l2m evaluate --tasks MT40 --checkpoint data/checkpoints/paper\n' +
      '\nThe file is read, never executed: its pickle may hold tensors and nothing else.\n',
  );
  command.action(run);
}

async function run(file: string, options: ImportCheckpointCommandOptions): Promise<void> {
  const name = basename(file).replace(/\.(zip|pth)$/, '');
  const folder = options.check === true ? undefined : (options.to ?? join(configOf(options).data, 'checkpoints', name));
  const { versions, gitCommit } = currentProvenance({}, undefined);
  const report = await importCheckpoint(file, {
    heads: options.heads,
    context: options.context,
    actionSize: options.actionSize,
    scaling: options.scaling,
    selected: options.selected,
    folder,
    name: folder === undefined ? name : basename(folder),
    overwrite: options.overwrite === true,
    provenance: {
      command: `npx l2m import checkpoint ${basename(file)}`,
      commit: gitCommit ?? 'unknown',
      versions: { ...versions },
    },
  });
  if (options.json === true)
    process.stdout.write(`${JSON.stringify({ folder: folder ?? null, ...report }, null, 2)}\n`);
  else process.stdout.write(`${reportText(report)}${folder === undefined ? '' : `${folder}\n`}`);
}

function reportText({ model, modulation, assumed, used, skipped, missing }: ImportReport): string {
  const { width, blocks, heads } = model;
  const pool = modulation.kind === 'none' ? 'no modulators' : `${modulation.kind} modulators`;
  const lines = [
    `model of width ${width}, ${blocks} blocks, ${heads} heads; ${pool}`,
    ...assumed.map((what) => `assumed: ${what}`),
    `used: ${used.length} weights`,
    `skipped: ${skipped.length}`,
    ...skipped.map(({ name, reason }) => `  ${name}: ${reason}`),
    `missing: ${missing.length}`,
    ...missing.map((name) => `  ${name}`),
  ];
  return `${lines.join('\n')}\n`;
}
