import type { Command } from 'commander';
import { addConfigOptions, configOf } from './config-options.ts';
import { addEvaluationOptions, evaluationRequest, type EvaluationOptions } from './evaluation-options.ts';
import { runJob } from './run-job.ts';

/** Some of what the shipped policy was trained on, of both suites. */
const TASKS =
  'assembly,basketball,coffee-pull,door-open,drawer-open,peg-insert-side,plate-slide,window-open,' +
  'dmcontrol/cartpole-balance,dmcontrol/fish-upright,dmcontrol/walker-stand,dmcontrol/walker-run';

/** `l2m start`: the main job with the page, then serve until Ctrl-C. */
export function addStartCommand(program: Command, outcome: { exitCode: number }): void {
  const command = addEvaluationOptions(
    program.command('start').description('evaluate the shipped policy with the page live, then keep serving'),
    { tasks: TASKS, episodes: 5 },
  ).option('--exit', 'stop after the table instead of serving on');
  addConfigOptions(command).addHelpText(
    'after',
    '\nExamples:\n' +
      '  $ npx l2m start                    page at http://127.0.0.1:8650\n' +
      '  $ npx l2m start --exit             stop after the table\n' +
      '  $ npx l2m start --tasks CW10 --episodes 20 --port 9000\n',
  );
  command.action(async (options: EvaluationOptions & { exit?: true }) => {
    outcome.exitCode = await runJob({
      config: configOf(options),
      request: (server) =>
        evaluationRequest(options, { store: server.store, resume: undefined, isDefault: () => false }),
      resume: undefined,
      serve: true,
      keepServing: options.exit !== true,
      json: undefined,
      parquet: undefined,
    });
  });
}
