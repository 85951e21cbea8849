import type { Command } from 'commander';
import { join, resolve } from 'node:path';
import { QUERY_VARIANTS, type QueryVariant } from '../../agent/config.ts';
import { expandTasks, expandTaskSequence } from '../../agent/tasks/expand-tasks.ts';
import type { EvaluationProtocol, TaskId } from '../../protocol/task.ts';
import { readManifest } from '../checkpoints/read-checkpoint.ts';
import type { ServerConfig } from '../config-schema.ts';
import { PAPER_FINETUNE, type ContinualSettings } from '../continual/continual-options.ts';
import type { MethodName } from '../continual/methods.ts';
import type { ContinualOptions } from '../continual/run-continual.ts';
import { settingsFor } from '../continual/settings-for.ts';
import { currentProvenance } from '../provenance.ts';
import { backendOptionsOf } from './backend-options.ts';
import { defaultCheckpoint } from './default-checkpoint.ts';
import { numberWithin, oneOf, wholeNumber } from './option-values.ts';

/** Flags that all commands of continual learning share, as commander gives them. */
export interface ContinualFlags extends Record<string, unknown> {
  readonly name?: string;
  readonly preset: 'small-machine' | 'paper';
  readonly stepsPerTask?: number;
  readonly batch?: number;
  readonly learningRate?: number;
  readonly penaltyStrength?: number;
  readonly penaltyMode?: 'separate' | 'online';
  readonly replayEpisodes?: number;
  readonly late?: number;
  readonly poolSize?: number;
  readonly rank?: number;
  readonly modulateEnds?: true;
  readonly freshOptimiser?: true;
  readonly countPenalty: boolean;
  readonly pullWeight?: number;
  readonly allLayouts?: true;
  readonly query?: QueryVariant;
  readonly voteSteps?: number;
  readonly unknownBelow?: number;
  readonly identityKeys?: number;
  readonly keysPerTask?: number;
  readonly evaluateEvery?: number;
  readonly episodes?: number;
  readonly protocol?: EvaluationProtocol;
  readonly horizon?: number;
  readonly pretrainingTasks: number | readonly TaskId[];
  readonly source?: string;
  readonly trajectories?: string;
  readonly checkpoint?: string;
  readonly collect?: number;
  readonly json?: string;
  readonly serve?: true;
  readonly overwrite?: true;
}

/** Settings of the server that these commands take. */
export const CONTINUAL_CONFIG = [
  ...(['data', 'workers', 'environments', 'backend', 'threads', 'precision'] as const),
  ...(['maxWaitMs', 'restartBudget', 'logLevel', 'port'] as const),
] as const;

const OTHERS = 5;

export function addContinualFlags(command: Command): Command {
  return command
    .option('--name <name>', 'name of the training; its folder is continual/NAME in the data directory')
    .option(
      '--preset <name>',
      'small-machine, or paper (spec §5.5)',
      oneOf(['small-machine', 'paper']),
      'small-machine',
    )
    .option('--steps-per-task <number>', 'updates for each task', wholeNumber(1, 100_000_000))
    .option('--batch <number>', 'windows of one update', wholeNumber(1, 4096))
    .option('--learning-rate <number>', 'constant; each method has its own default', numberWithin(1e-9, 1))
    .option('--penalty-strength <number>', 'lambda of ewc and l2', numberWithin(0, 1e9))
    .option(
      '--penalty-mode <mode>',
      'separate: hold the latest task, as the reference does; online: hold all',
      oneOf(['separate', 'online']),
    )
    .option('--replay-episodes <number>', 'episodes that replay keeps of each task', wholeNumber(1, 1_000_000))
    .option('--late <share>', 'windows shown as if they had come later, with less gathered before', numberWithin(0, 1))
    .option(
      '--identity-keys <number>',
      'fitted keys of the pre-training (default: as many a task as a new one has)',
      wholeNumber(1, 4096),
    )
    .option('--keys-per-task <number>', 'fitted keys of each new task', wholeNumber(1, 4096))
    .option('--pool-size <number>', 'ablation: modulators of a pool, each with a key', wholeNumber(1, 4096))
    .option('--rank <number>', 'ablation: of LoRA modulators', wholeNumber(1, 1024))
    .option(
      '--modulate-ends',
      'beyond the paper: LoRA of a pool changes how states are embedded and actions read out, too',
    )
    .option(
      '--fresh-optimiser',
      'beyond the paper: moments of zero at each switch, so that momentum moves nothing that only earlier tasks used',
    )
    .option('--no-count-penalty', 'ablation: keys of earlier tasks weigh as much as others')
    .option('--pull-weight <number>', 'ablation: lambda of the pull of keys towards queries', numberWithin(0, 1e6))
    .option(
      '--query <variant>',
      'ablation: what asks the pool, instead of the mean of the states: ' + QUERY_VARIANTS.join(', '),
      oneOf(QUERY_VARIANTS),
    )
    .option('--all-layouts', 'ablation: fitted keys of tasks whose observations are laid out otherwise compete, too')
    .option('--vote-steps <number>', 'ablation: the row that most of so many steps asked for', wholeNumber(1, 1000))
    .option('--unknown-below <cosine>', 'ablation: fitted keys: below it the identity', numberWithin(-0.999, 0.999))
    .option('--evaluate-every <number>', 'updates between two evaluations', wholeNumber(1, 100_000_000))
    .option('--episodes <number>', 'episodes of each task in an evaluation', wholeNumber(1, 10_000))
    .option('--protocol <name>', 'l2m-paper or official-v3', oneOf<EvaluationProtocol>(['official-v3', 'l2m-paper']))
    .option('--horizon <number>', 'steps of an evaluated episode', wholeNumber(1, 1000))
    .option(
      '--pretraining-tasks <list>',
      'which, or how many, tasks of the pre-training are evaluated',
      othersOf,
      OTHERS,
    )
    .option('--source <name>', 'name of the data set to learn from (default: expert)')
    .option('--trajectories <folder>', 'where collected trajectories are (default: in the data directory)')
    .option('--checkpoint <folder>', 'the model to start from (default: the shipped one)')
    .option('--collect <number>', 'collect so many episodes of tasks without data', wholeNumber(1, 1_000_000))
    .option('--json <file>', 'write the scores as JSON')
    .option('--serve', 'serve the page meanwhile')
    .option('--overwrite', 'start over although this training exists');
}

function othersOf(text: string): number | TaskId[] {
  if (text === 'none') return 0;
  if (text === 'all') return 1000;
  return /^\d+$/.test(text) ? Number(text) : expandTasks(text.split(','));
}

/** `CW10`, `CW10+DMC6`, `hammer,push-wall`: tasks in their order. @throws AgentError L2M_TASK_UNKNOWN with the nearest name */
export function sequenceOf(text: string): TaskId[] {
  return expandTaskSequence(text.split(/[+,]/));
}

/** Makes the settings of one training of these flags. */
export async function settingsMaker(
  flags: ContinualFlags,
  kind: 'continual' | 'finetune',
): Promise<(method: MethodName, seed: number, sequence: readonly TaskId[]) => ContinualSettings> {
  const manifest = await readManifest(checkpointOf(flags));
  const paperFinetune = kind === 'finetune' && flags.preset === 'paper' ? PAPER_FINETUNE : {};
  const changes = { ...paperFinetune, ...changesOf(flags) };
  return (method, seed, sequence) =>
    settingsFor({ preset: flags.preset, sequence, method, seed, changes, others: flags.pretrainingTasks }, manifest);
}

function changesOf(flags: ContinualFlags): Partial<ContinualSettings> {
  const { stepsPerTask, batch: batchSize, learningRate, penaltyStrength, penaltyMode, replayEpisodes } = flags;
  const { late: lateShare, freshOptimiser, allLayouts } = flags;
  const { identityKeys, keysPerTask, evaluateEvery, episodes, protocol, horizon, source } = flags;
  const { poolSize, rank, modulateEnds: ends, countPenalty, pullWeight, query, voteSteps, unknownBelow } = flags;
  const given = {
    ...{ stepsPerTask, batchSize, learningRate, penaltyStrength, penaltyMode, replayEpisodes },
    ...{ lateShare, freshOptimiser, identityKeys, keysPerTask, episodes, protocol, horizon, source },
    ...{ poolSize, rank, ends, pullWeight, query, voteSteps, unknownBelow, ...(countPenalty ? {} : { countPenalty }) },
    ...(allLayouts === true ? { byLayout: false } : {}),
    // Without an interval of its own, a shortened task is still evaluated in its middle.
    evaluateEvery:
      evaluateEvery ?? (stepsPerTask === undefined ? undefined : Math.max(1, Math.round(stepsPerTask / 2))),
  };
  return Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined));
}

export function checkpointOf({ checkpoint }: ContinualFlags): string {
  return checkpoint ?? defaultCheckpoint();
}

export function trajectoriesOf({ trajectories }: ContinualFlags, config: ServerConfig): string {
  return trajectories ?? join(config.data, 'trajectories');
}

/** What every training of these flags has in common beside its settings. */
export function placesOf(
  flags: ContinualFlags,
  config: ServerConfig,
): Omit<ContinualOptions, 'folder' | 'settings' | 'resume'> {
  const { gitCommit } = currentProvenance({}, undefined);
  return {
    checkpoint: resolve(checkpointOf(flags)),
    trajectories: trajectoriesOf(flags, config),
    overwrite: flags.overwrite === true,
    backend: backendOptionsOf(config),
    saveEveryMinutes: 2,
    command: `npx l2m ${process.argv.slice(2).join(' ')}`,
    commit: gitCommit ?? 'unknown',
  };
}
