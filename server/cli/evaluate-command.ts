import type { Command } from 'commander';
import { addConfigOptions, configOf } from './config-options.ts';
import { evaluationRequest, addEvaluationOptions, type EvaluationOptions } from './evaluation-options.ts';
import { runJob } from './run-job.ts';

/** `l2m evaluate`: score a policy on real simulators, print the table, stop. */
export function addEvaluateCommand(program: Command, outcome: { exitCode: number }): void {
  const command = addEvaluationOptions(
    program.command('evaluate').description('score a policy on real simulators and print a table'),
    { tasks: 'MT40', episodes: 10 },
  )
    .option('--resume <run>', 'go on with an interrupted run: only what is left is done')
    .option('--watch', 'serve the page while the evaluation runs')
    .option('--json <file>', 'write the result as JSON')
    .option('--parquet <file>', 'write every episode as Parquet');
  addConfigOptions(command).addHelpText(
    'after',
    '\nExamples:\n' +
      '  $ npx l2m evaluate --tasks MT10 --episodes 50 --protocol official-v3\n' +
      '  $ npx l2m evaluate --tasks reach-v3,dmcontrol/walker-walk --policy random\n' +
      '  $ npx l2m evaluate --resume evaluate-20261123-192057-9td\n' +
      '\nExit codes: 0 finished, 1 failed, 2 wrong usage, 130 interrupted (resume it).\n',
  );
  command.action(
    async (options: EvaluationOptions & { resume?: string; watch?: true; json?: string; parquet?: string }) => {
      outcome.exitCode = await runJob({
        config: configOf(options),
        request: (server) =>
          evaluationRequest(options, {
            store: server.store,
            resume: options.resume,
            isDefault: (name) => (command.getOptionValueSource(name) ?? 'default') === 'default',
          }),
        resume: options.resume,
        serve: options.watch === true,
        keepServing: false,
        json: options.json,
        parquet: options.parquet,
      });
    },
  );
}
