import type { Command } from 'commander';
import { addDataListCommand } from './data-list-command.ts';
import { addDataVerifyCommand } from './data-verify-command.ts';

/** `l2m data`: what has been collected and whether it is sound. */
export function addDataCommand(program: Command, outcome: { exitCode: number }): void {
  const command = program.command('data').description('list and verify collected trajectories');
  addDataListCommand(command);
  addDataVerifyCommand(command, outcome);
}
