import type { Command } from 'commander';
import { expandTasks } from '../../agent/tasks/expand-tasks.ts';
import { KNOWN_TASKS, TASK_GROUPS } from '../../agent/tasks/groups.ts';

/** `l2m tasks`: every task and group, or what a list of names stands for. */
export function addTasksCommand(program: Command): void {
  program
    .command('tasks')
    .description('list tasks and groups, or show what a list of names stands for')
    .argument('[names]', 'tasks and groups, separated by commas')
    .option('--json', 'print JSON')
    .addHelpText('after', '\nExamples:\n  $ npx l2m tasks\n  $ npx l2m tasks MT10,walker-walk\n')
    .action((names: string | undefined, options: { json?: true }) => {
      const tasks = names === undefined ? KNOWN_TASKS : expandTasks(names.split(','));
      if (options.json === true) {
        process.stdout.write(
          `${JSON.stringify(names === undefined ? { tasks, groups: TASK_GROUPS } : { tasks }, null, 2)}\n`,
        );
        return;
      }
      process.stdout.write(`${tasks.join('\n')}\n`);
      if (names !== undefined) return;
      process.stdout.write('\nGroups\n');
      for (const [group, members] of Object.entries(TASK_GROUPS)) {
        process.stdout.write(
          `  ${group.padEnd(6)} ${String(members.length).padStart(3)} tasks: ${members.slice(0, 3).join(', ')}, …\n`,
        );
      }
    });
}
