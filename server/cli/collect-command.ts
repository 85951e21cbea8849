import type { Command } from 'commander';
import { join } from 'node:path';
import { expandTasks } from '../../agent/tasks/expand-tasks.ts';
import type { ExpertVariant } from '../../protocol/simulator-messages.ts';
import { domainOf, type TaskId } from '../../protocol/task.ts';
import { L2mError } from '../errors.ts';
import { openTrajectoryWriter, type TrajectoryWriter } from '../learning/trajectory-writer.ts';
import type { RunRequest } from '../rollouts/run-request.ts';
import type { LiveServer } from '../build-server.ts';
import { addConfigOptions, configOf } from './config-options.ts';
import { numberList, oneOf, wholeNumber } from './option-values.ts';
import { runJob } from './run-job.ts';

interface CollectOptions extends Record<string, unknown> {
  readonly tasks: string;
  readonly episodes: number;
  readonly noise: readonly number[];
  readonly variant: ExpertVariant;
  readonly seed: number;
  readonly source?: string;
  readonly firstStart: number;
  readonly horizon: number;
  readonly overwrite?: true;
}

const COLLECT_SETTINGS = ['data', 'workers', 'environments', 'restartBudget', 'logLevel', 'port'] as const;

/**
 * `l2m collect`: trajectories of the scripted Meta-World experts. The executed action (with noise) is kept as history, the
 * expert's own clean action as what should have been done.
 */
export function addCollectCommand(program: Command, outcome: { exitCode: number }): void {
  const command = program
    .command('collect')
    .description('collect trajectories of the scripted Meta-World experts')
    .option('--tasks <list>', 'tasks and groups, separated by commas', 'MT10')
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
    .option('--seed <number>', 'seed of starts and noise', wholeNumber(0, 0xffffffff), 1000)
    .option('--first-start <number>', 'index of the first start state', wholeNumber(0, 0x7fffffff), 0)
    .option('--horizon <number>', 'steps of an episode', wholeNumber(1, 500), 200)
    .option('--source <name>', 'name of the data set (default: expert, or keep-goal with that variant)')
    .option('--overwrite', 'forget what this source collected before');
  addConfigOptions(command, COLLECT_SETTINGS).addHelpText(
    'after',
    '\nExamples:\n' +
      '  $ npx l2m collect --tasks MT10 --episodes 200          2,000 episodes, four noise levels\n' +
      '  $ npx l2m collect --tasks reach-v3 --noise 0,0.2       one task\n' +
      '  $ npx l2m collect --tasks MT50 --variant keep-goal      experts that stay at the goal\n' +
      '\nStart k has the noise level k modulo their number; the executed action is the history, the action without noise the target.\n' +
      '\nAn interrupted collection goes on where it was when the same command is given again.\n',
  );
  command.action(async (options: CollectOptions) => {
    outcome.exitCode = await collect(options);
  });
}

async function collect(options: CollectOptions): Promise<number> {
  const config = configOf(options);
  const tasks = expandTasks(options.tasks.split(','));
  const foreign = tasks.filter((task) => domainOf(task) !== 'metaworld');
  if (foreign.length > 0) {
    throw new L2mError('L2M_TASK_UNSUPPORTED', `${foreign.join(', ')} have no scripted expert`, {
      hint: 'Scripted experts exist for the Meta-World tasks only.',
    });
  }
  const writers = new Map<TaskId, TrajectoryWriter>();
  let skipped: ((task: TaskId, start: number) => boolean) | undefined;
  return runJob({
    config,
    serve: false,
    keepServing: false,
    resume: undefined,
    json: undefined,
    parquet: undefined,
    request: async (server) => {
      await openWriters(server, options, { tasks, writers });
      skipped = (task, start) => writers.get(task)?.hasEpisode(start, noiseOf(options, start)) ?? false;
      return requestOf(options, tasks);
    },
    skip: (task, start) => skipped?.(task, start) ?? false,
    take: () => async (plan, trajectory) => {
      const noise = plan.actor.kind === 'expert' ? plan.actor.noise : 0;
      await writers.get(plan.task)?.append({ start: plan.start, noise, ...trajectory });
    },
    finish: async (_, summary) => {
      for (const writer of writers.values()) {
        if (summary.state !== 'finished') {
          await writer.close();
          continue;
        }
        const { path, episodes, transitions, hash } = await writer.finish();
        process.stdout.write(
          `${path}: ${episodes} episodes, ${transitions} transitions, sha256 ${hash.slice(0, 16)}\n`,
        );
      }
    },
  });
}

async function openWriters(
  server: LiveServer,
  options: CollectOptions,
  { tasks, writers }: { tasks: readonly TaskId[]; writers: Map<TaskId, TrajectoryWriter> },
): Promise<void> {
  for (const spec of await server.describe(tasks)) {
    writers.set(
      spec.task,
      await openTrajectoryWriter({
        folder: join(server.config.data, 'trajectories'),
        task: spec.task,
        source: options.source ?? (options.variant === 'keep-goal' ? 'keep-goal' : 'expert'),
        spec,
        provenance: {
          identity: {
            policy: 'expert',
            protocol: 'l2m-paper',
            seed: options.seed,
            horizon: options.horizon,
            noises: [...options.noise],
            // Left out for the script itself, so that collections begun before there were variants go on.
            ...(options.variant === 'scripted' ? {} : { variant: options.variant }),
          },
          notes: { command: process.argv.slice(2).join(' '), versions: { ...server.fleet.versions() } },
        },
        ...(options.overwrite === true ? { overwriteSource: true } : {}),
      }),
    );
  }
}

function requestOf(options: CollectOptions, tasks: readonly TaskId[]): RunRequest {
  return {
    ...{ kind: 'collect', tasks, episodes: options.episodes, protocol: 'l2m-paper', seed: options.seed },
    policy: {
      ...{ kind: 'expert', noises: options.noise },
      ...(options.variant === 'scripted' ? {} : { variant: options.variant }),
    },
    firstStart: options.firstStart,
    horizon: options.horizon,
  };
}

function noiseOf(options: CollectOptions, start: number): number {
  return options.noise[start % options.noise.length] ?? 0;
}
