import type { Command } from 'commander';
import { join } from 'node:path';
import { expandTasks } from '../../agent/tasks/expand-tasks.ts';
import { domainOf, type TaskId } from '../../protocol/task.ts';
import { buildServer } from '../build-server.ts';
import type { ServerConfig } from '../config-schema.ts';
import { L2mError } from '../errors.ts';
import {
  CRITICS_FIRST,
  EXPERT_DEFAULTS,
  EXPLORATIONS,
  type Exploration,
  type ExpertOptions,
} from '../experts/expert-options.ts';
import { expertPreset } from '../experts/expert-presets.ts';
import type { ExpertProgress, ExpertResult } from '../experts/expert-events.ts';
import { TRAINED_SOURCE, expertFolder } from '../experts/find-expert.ts';
import { readFirstActor, type FirstActor } from '../experts/first-actor.ts';
import { trainExpert } from '../experts/train-expert.ts';
import { backendOptionsOf } from './backend-options.ts';
import { addConfigOptions, configOf } from './config-options.ts';
import { numberList, numberWithin, oneOf, wholeNumber } from './option-values.ts';
import { ProgressLine, durationText } from './progress-line.ts';
import { saveOnSignal } from './save-on-signal.ts';

interface TrainExpertOptions extends Record<string, unknown> {
  readonly task: string;
  readonly steps?: number;
  readonly minutes?: number;
  readonly parallel: number;
  readonly actionRepeat?: number;
  readonly hidden?: number[];
  readonly batch?: number;
  readonly learningRate?: number;
  readonly updates: number;
  readonly exploration?: Exploration;
  readonly from?: string;
  readonly criticsFirst: number;
  readonly seed: number;
  readonly source: string;
  readonly evaluateEvery: number;
  readonly episodes: number;
  readonly serve?: true;
  readonly resume?: true;
  readonly overwrite?: true;
}

const SETTINGS = ['data', 'workers', 'backend', 'threads', 'restartBudget', 'logLevel', 'port'] as const;

/** `l2m train-expert`: soft actor-critic against the server's simulators; its replay becomes a data set. */
export function addTrainExpertCommand(program: Command, outcome: { exitCode: number }): void {
  const command = program
    .command('train-expert')
    .description('train an expert of one DMControl task online, and keep what it saw as trajectories')
    .requiredOption('--task <name>', 'the task, such as cartpole-swingup')
    .option('--steps <number>', 'simulator steps in all (default: by task)', wholeNumber(1, 1_000_000_000))
    .option('--minutes <number>', 'stop this session after so long; go on with --resume', numberWithin(0.01, 100_000))
    .option('--parallel <number>', 'environments that step together', wholeNumber(1, 256), EXPERT_DEFAULTS.lanes)
    .option('--action-repeat <number>', 'simulator steps of one decision (default: by task)', wholeNumber(1, 100))
    .option(
      '--hidden <list>',
      `widths of the hidden layers (default: ${JSON.stringify(EXPERT_DEFAULTS.hidden)}, or those of --from)`,
      numberList(1, 4096),
    )
    .option('--batch <number>', 'transitions of one update (default: by task)', wholeNumber(1, 65_536))
    .option('--learning-rate <number>', 'of actor and critics (default: by task)', numberWithin(0, 1))
    .option('--updates <number>', 'updates of one decision', numberWithin(0.001, 100), 1)
    .option(
      '--exploration <name>',
      'chance in acting: pink drifts, white is drawn anew every time (default: by task)',
      oneOf(EXPLORATIONS),
    )
    .option('--from <expert>', 'begin with a trained actor: `shipped`, or the file of an expert')
    .option(
      '--critics-first <number>',
      'with --from: updates of the critics alone before the actor goes on learning',
      wholeNumber(0, 1e9),
      CRITICS_FIRST,
    )
    .option('--seed <number>', 'seed of starts, weights and chance', wholeNumber(0, 0xffffffff), EXPERT_DEFAULTS.seed)
    .option('--source <name>', 'name of the data set', TRAINED_SOURCE)
    .option('--evaluate-every <number>', 'simulator steps between two evaluations', wholeNumber(1, 1e9), 20_000)
    .option('--episodes <number>', 'episodes of an evaluation', wholeNumber(1, 1000), 10)
    .option('--serve', 'serve the page meanwhile')
    .option('--resume', 'go on where this training was')
    .option('--overwrite', 'start over although this training exists');
  addConfigOptions(command, SETTINGS).addHelpText(
    'after',
    '\nExamples:\n' +
      '  $ npx l2m train-expert --task pendulum-swingup --steps 100000\n' +
      '  $ npx l2m train-expert --task cartpole-swingup --minutes 30\n' +
      '  $ npx l2m train-expert --task cartpole-swingup --resume\n' +
      '  $ npx l2m train-expert --task finger-turn_easy --from data/experts/dmcontrol/finger-turn_hard/sac/expert.safetensors\n' +
      '\nCtrl-C saves; --resume goes on from there, and the result is that of a training without a break.\n',
  );
  command.action(async (options: TrainExpertOptions) => {
    outcome.exitCode = await run(options);
  });
}

async function run(options: TrainExpertOptions): Promise<number> {
  const task = taskOf(options.task);
  const base = configOf(options);
  const config = configFor(base, options.parallel);
  const progress = new ProgressLine();
  const stop = saveOnSignal(progress);
  const server = await buildServer(config, { serve: options.serve === true, note: (text) => progress.note(text) });
  try {
    if (server.url !== undefined) progress.note(`page and API at ${server.url}`);
    const result = await trainExpert(server, await expertOptions(task, options, config), {
      note: (text) => progress.note(text),
      progress: (state) => progress.update(progressText(state)),
      signal: stop.signal,
    });
    progress.end();
    process.stdout.write(resultText(task, result));
    return result.outcome === 'finished' ? 0 : 130;
  } finally {
    progress.end();
    stop.release();
    await server.close();
  }
}

function taskOf(name: string): TaskId {
  const [task, ...more] = expandTasks([name]);
  if (task !== undefined && more.length === 0 && domainOf(task) === 'dmcontrol') return task;
  throw new L2mError('L2M_TASK_UNSUPPORTED', `${name} is not one DMControl task`, {
    hint: 'Meta-World tasks have scripted experts: use `l2m collect`.',
  });
}

/** A lost worker takes all lanes with it, so that an unlucky episode may well be begun anew more often than in an evaluation. */
const MAX_ATTEMPTS = 20;

/** As many environments as step together, evenly over as many workers as that allows. */
function configFor(given: ServerConfig, parallel: number): ServerConfig {
  const config = { ...given, maxAttempts: Math.max(given.maxAttempts, MAX_ATTEMPTS) };
  if (config.workers === 0) return config;
  const counts = Array.from({ length: Math.min(config.workers, parallel) }, (_, i) => i + 1);
  const workers = counts.findLast((count) => parallel % count === 0) ?? 1;
  return { ...config, workers, environments: parallel / workers };
}

async function expertOptions(task: TaskId, options: TrainExpertOptions, config: ServerConfig): Promise<ExpertOptions> {
  const preset = expertPreset(task);
  const {
    hidden = EXPERT_DEFAULTS.hidden,
    actionRepeat = preset.actionRepeat,
    ...first
  } = await beginningOf(task, options);
  return {
    ...EXPERT_DEFAULTS,
    ...{ task, seed: options.seed, lanes: options.parallel, hidden, ...first },
    ...{ actionRepeat: options.actionRepeat ?? actionRepeat, batchSize: options.batch ?? preset.batchSize },
    ...{ learningRate: options.learningRate ?? preset.learningRate, updatesPerDecision: options.updates },
    exploration: options.exploration ?? preset.exploration,
    ...{ steps: options.steps ?? preset.steps, minutes: options.minutes, source: options.source },
    ...{ evaluateEvery: options.evaluateEvery, evaluationEpisodes: options.episodes, saveEveryMinutes: 2 },
    trajectoryFolder: join(config.data, 'trajectories'),
    folder: expertFolder(config.data, task, options.source),
    resume: options.resume === true,
    overwrite: options.overwrite === true,
    // Products of this size gain nothing from bfloat16.
    backend: backendOptionsOf({ ...config, precision: 'float32' }),
  };
}

/** What an actor to begin with decides, or the widths that were asked for. */
function beginningOf(task: TaskId, options: TrainExpertOptions): Promise<Partial<FirstActor>> {
  const { from, criticsFirst, hidden } = options;
  const sizes = hidden === undefined ? {} : { hidden };
  if (from === undefined) return Promise.resolve(sizes);
  return readFirstActor(task, { from, criticUpdates: criticsFirst, ...sizes });
}

/** `24000/500000 steps, 22500 updates, 61 updates/s, return 812.4 after 20000 steps, 2 h 10 min left` */
export function progressText(progress: ExpertProgress): string {
  const { steps, totalSteps, updates, updatesPerSecond, evaluation, secondsLeft } = progress;
  return [
    `${steps}/${totalSteps} steps`,
    `${updates} updates`,
    ...(updatesPerSecond > 0 ? [`${updatesPerSecond.toFixed(0)} updates/s`] : []),
    ...(evaluation === undefined ? [] : [`return ${evaluation.meanReturn.toFixed(1)} after ${evaluation.steps} steps`]),
    secondsLeft === null ? 'time left unknown' : `${durationText(secondsLeft)} left`,
  ].join(', ');
}

function resultText(task: TaskId, { outcome, steps, updates, evaluation, dataMean, data }: ExpertResult): string {
  const lines = [`${task}: ${outcome} after ${steps} steps and ${updates} updates`];
  if (evaluation !== undefined) {
    const share =
      evaluation.normalizedScore === null ? '' : `, normalised score ${evaluation.normalizedScore.toFixed(2)}`;
    const compared = dataMean === null ? '' : `; the reference's data have ${dataMean} on average`;
    lines.push(`return ${evaluation.meanReturn.toFixed(1)} over ${evaluation.episodes} episodes${share}${compared}`);
  }
  if (data !== undefined) {
    const { path, episodes, transitions, hash } = data;
    lines.push(`${path}: ${episodes} episodes, ${transitions} transitions, sha256 ${hash.slice(0, 16)}`);
  }
  if (outcome === 'stopped') lines.push('go on with the same command and --resume');
  return `${lines.join('\n')}\n`;
}
