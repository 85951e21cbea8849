import type { Command } from 'commander';
import { addImportCheckpointCommand } from './import-checkpoint-command.ts';
import { addImportDataCommand } from './import-data-command.ts';

/** `l2m import`: files of the reference implementation, into ours. */
export function addImportCommand(program: Command): void {
  const command = program
    .command('import')
    .description('import checkpoints and data sets of the reference implementation');
  addImportCheckpointCommand(command);
  addImportDataCommand(command);
}
