import type { Command } from 'commander';
import { addDataCompareCommand } from './data-compare-command.ts';
import { addDataExportCommand } from './data-export-command.ts';
import { addDataListCommand } from './data-list-command.ts';
import { addDataVerifyCommand } from './data-verify-command.ts';

/** `l2m data`: what has been collected, whether it is sound, and in the layout of others. */
export function addDataCommand(program: Command, outcome: { exitCode: number }): void {
  const command = program.command('data').description('list, verify and export collected trajectories');
  addDataListCommand(command);
  addDataCompareCommand(command);
  addDataVerifyCommand(command, outcome);
  addDataExportCommand(command);
}
