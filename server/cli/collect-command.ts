import type { Command } from 'commander';
import { join } from 'node:path';
import { expandTasks } from '../../agent/tasks/expand-tasks.ts';
import type { ExpertVariant } from '../../protocol/simulator-messages.ts';
import type { TaskId } from '../../protocol/task.ts';
import { openCollection, type Collection } from '../collecting/collection.ts';
import { L2mError } from '../errors.ts';
import { addConfigOptions, configOf } from './config-options.ts';
import { numberList, oneOf, wholeNumber } from './option-values.ts';
import { runJob } from './run-job.ts';

interface CollectOptions extends Record<string, unknown> {
  readonly tasks?: string;
  readonly suite?: Suite;
  readonly episodes: number;
  readonly noise: readonly number[];
  readonly variant: ExpertVariant;
  readonly student?: string;
  readonly everyStep?: true;
  readonly seed: number;
  readonly source?: string;
  readonly firstStart: number;
  readonly horizon?: number;
  readonly overwrite?: true;
}

const SUITES = { metaworld: 'MT50', dmcontrol: 'DMC16' } as const;
type Suite = keyof typeof SUITES;

const COLLECT_SETTINGS = [
  ...(['data', 'workers', 'environments', 'restartBudget', 'logLevel', 'port'] as const),
  // For the student.
  ...(['backend', 'threads', 'precision'] as const),
] as const;

/**
 * `l2m collect`: trajectories of experts. The executed action (with noise) is kept as history, the
 * expert's own clean action as what should have been done.
 */
export function addCollectCommand(program: Command, outcome: { exitCode: number }): void {
  const command = program
    .command('collect')
    .description('collect trajectories of experts: scripted ones in Meta-World, trained ones in DMControl')
    .option('--tasks <list>', 'tasks and groups, separated by commas (default: MT10)')
    .option(
      '--suite <name>',
      'all tasks of one suite that have an expert: metaworld (50) or dmcontrol (16)',
      oneOf(Object.keys(SUITES) as Suite[]),
    )
    .option('--episodes <number>', 'episodes of each task', wholeNumber(1, 1_000_000), 200)
    .option(
      '--noise <list>',
      'deviations of the Gaussian action noise, used in turn',
      numberList(0, 2),
      [0, 0.1, 0.3, 0.5],
    )
    .option(
      '--variant <name>',
      'scripted, or keep-goal: stays at the goal once it is reached',
      oneOf<ExpertVariant>(['scripted', 'keep-goal']),
      'scripted',
    )
    .option(
      '--student <checkpoint>',
      'this checkpoint acts, with the noise; the experts say at every step what should be done',
    )
    .option(
      '--every-step',
      'trained experts decide at every step, also those that do better when they hold their actions: easier to imitate',
    )
    .option('--seed <number>', 'seed of starts and noise', wholeNumber(0, 0xffffffff), 1000)
    .option('--first-start <number>', 'index of the first start state', wholeNumber(0, 0x7fffffff), 0)
    .option(
      '--horizon <number>',
      'steps of an episode (default: 200 in Meta-World, 1000 in DMControl)',
      wholeNumber(1, 1000),
    )
    .option(
      '--source <name>',
      'name of the data set (default: expert; keep-goal with that variant; advised with a student)',
    )
    .option('--overwrite', 'forget what this source collected before');
  addConfigOptions(command, COLLECT_SETTINGS).addHelpText(
    'after',
    '\nExamples:\n' +
      '  $ npx l2m collect --tasks MT10 --episodes 200          2,000 episodes, four noise levels\n' +
      '  $ npx l2m collect --tasks reach-v3 --noise 0,0.2       one task\n' +
      '  $ npx l2m collect --suite dmcontrol --episodes 60       experts that `l2m train-expert` made\n' +
      '  $ npx l2m collect --tasks MT50 --variant keep-goal      experts that stay at the goal\n' +
      '  $ npx l2m collect --tasks MT10 --student data/checkpoints/mine --seed 3000   where a policy comes to, and what its expert would do there\n' +
      '\nStart k has the noise level k modulo their number; the executed action is the history, the action without noise the target.\n' +
      '\nAn interrupted collection goes on where it was when the same command is given again.\n',
  );
  command.action(async (options: CollectOptions) => {
    outcome.exitCode = await collect(options);
  });
}

async function collect(options: CollectOptions): Promise<number> {
  const config = configOf(options);
  const tasks = tasksOf(options);
  let collection: Collection | undefined;
  return runJob({
    config,
    serve: false,
    keepServing: false,
    resume: undefined,
    json: undefined,
    parquet: undefined,
    request: async (server) => {
      collection = await openCollection(server, {
        ...{ tasks, episodes: options.episodes, firstStart: options.firstStart, noises: options.noise },
        ...(options.student === undefined ? {} : { student: options.student }),
        ...(options.everyStep === undefined ? {} : { decides: 'every-step' as const }),
        ...{ variant: options.variant, seed: options.seed, horizon: options.horizon ?? null },
        source: options.source ?? sourceOf(options),
        trajectories: join(config.data, 'trajectories'),
        overwrite: options.overwrite === true,
      });
      return collection.request;
    },
    skip: (task, start) => collection?.skip(task, start) ?? false,
    take: () => async (plan, trajectory) => collection?.take(plan, trajectory),
    finish: async (_, summary) => {
      if (summary.state !== 'finished') {
        await collection?.close();
        return;
      }
      for (const { path, episodes, transitions, hash } of (await collection?.finish()) ?? []) {
        process.stdout.write(
          `${path}: ${episodes} episodes, ${transitions} transitions, sha256 ${hash.slice(0, 16)}\n`,
        );
      }
    },
  });
}

function sourceOf({ variant, student }: CollectOptions): string {
  if (student !== undefined) return 'advised';
  return variant === 'keep-goal' ? 'keep-goal' : 'expert';
}

function tasksOf({ tasks, suite }: CollectOptions): TaskId[] {
  if (tasks !== undefined && suite !== undefined) {
    throw new L2mError('L2M_CONFIG_INVALID', 'both --tasks and --suite are given', { hint: 'Give one of them.' });
  }
  return expandTasks((suite === undefined ? (tasks ?? 'MT10') : SUITES[suite]).split(','));
}
