import { createHash } from 'node:crypto';
import { REFERENCE_DROPOUT, type DropoutRates } from '../../agent/learning/dropout.ts';
import type { PenaltySettings } from '../../agent/learning/penalty.ts';
import type { EvaluationProtocol, TaskId } from '../../protocol/task.ts';
import { L2mError } from '../errors.ts';
import type { BackendOptions } from '../tensors/backend.ts';
import type { MethodName, ModulationChanges } from './methods.ts';
import { totalUpdates, type Timetable } from './timetable.ts';
import { EVALUATION_SEED } from '../rollouts/evaluation-seed.ts';

/** Settings that decide what a continual training learns and measures; going on, they must be the same. */
export interface ContinualSettings extends ModulationChanges {
  /** Tasks in the order they are learned; may repeat. */
  readonly sequence: readonly TaskId[];
  readonly method: MethodName;
  readonly seed: number;
  /** Name of the data set to learn from. */
  readonly source: string;
  /** Updates; the paper's steps. */
  readonly stepsPerTask: number;
  readonly batchSize: number;
  readonly learningRate: number;
  readonly weightDecay: number;
  /** Lambda of the pull of keys towards queries (spec §3.5). */
  readonly pullWeight: number;
  /** Off if absent. */
  readonly dropout?: DropoutRates;
  /** Beyond the paper: how often windows after the first success are drawn, against 1 for all others. */
  readonly afterSuccessWeight: number;
  /** Beyond the paper: see `WindowSamplerOptions.lateShare`; none if absent. */
  readonly lateShare?: number;
  /** Of methods with a penalty. */
  readonly penaltyStrength: number;
  /** `separate` as in the reference holds the latest task only (spec §9, item 6); `online` adds up the importances of all. */
  readonly penaltyMode: PenaltySettings['mode'];
  /** Of replay: share of a batch that comes from earlier tasks, and episodes kept of each. */
  readonly replayShare: number;
  readonly replayEpisodes: number;
  /** Of fitted keys: those of all tasks of the pre-training together, and those of each new task. */
  readonly identityKeys: number;
  readonly keysPerTask: number;
  /** Windows of each task whose queries keys are fitted to. */
  readonly queryWindows: number;
  /** Updates between two evaluations. */
  readonly evaluateEvery: number;
  /** Episodes of each task in an evaluation. */
  readonly episodes: number;
  readonly evaluationSeed: number;
  readonly protocol: EvaluationProtocol;
  /** Steps of an evaluated episode; null takes the protocol's own. */
  readonly horizon: number | null;
  /** Tasks of the pre-training that are evaluated, none of the sequence. */
  readonly others: readonly TaskId[];
  /** Tasks of the pre-training whose data identity keys are fitted to. */
  readonly identityTasks: readonly TaskId[];
}

/** Everything about one session of a continual training, for the trainer. */
export interface ContinualTrainerOptions {
  readonly name: string;
  /** The folder of the run; see `RunFolder`. */
  readonly folder: string;
  readonly settings: ContinualSettings;
  readonly resume: boolean;
  readonly backend: BackendOptions;
  readonly saveEveryMinutes: number;
  readonly reportEverySeconds: number;
  readonly command: string;
  readonly commit: string;
}

type Defaults = Omit<
  ContinualSettings,
  'sequence' | 'method' | 'learningRate' | 'others' | 'identityTasks' | 'identityKeys' | 'penaltyStrength'
>;

/** For a small machine and the shipped model. */
export const SMALL_CONTINUAL = {
  ...{ seed: 42, source: 'expert', stepsPerTask: 1000, batchSize: 128, weightDecay: 0.01, pullWeight: 0.5 },
  ...{ afterSuccessWeight: 0.25, penaltyMode: 'separate', replayShare: 0.5, replayEpisodes: 20 },
  ...{ keysPerTask: 10, queryWindows: 2048 },
  ...{ evaluateEvery: 500, episodes: 10, evaluationSeed: EVALUATION_SEED, protocol: 'l2m-paper', horizon: null },
} as const satisfies Defaults;

/** The paper's continual runs (spec §4, §5.5). */
export const PAPER_CONTINUAL = {
  ...SMALL_CONTINUAL,
  ...{ stepsPerTask: 100_000, batchSize: 256, afterSuccessWeight: 1, dropout: REFERENCE_DROPOUT },
  ...{ evaluateEvery: 50_000, episodes: 5 },
} as const satisfies Defaults;

/** Each task of the pre-training has as many fitted keys as a new one: with fewer it loses states to new tasks that resemble it. */
export function identityKeysOf({
  identityTasks,
  keysPerTask,
}: Pick<ContinualSettings, 'identityTasks' | 'keysPerTask'>): number {
  return Math.max(1, identityTasks.length * keysPerTask);
}

/** The paper's rate for all methods (spec §4). */
export const PAPER_LEARNING_RATE = 1e-4;

/** The paper's single-task runs (spec §5.5). */
export const PAPER_FINETUNE = { stepsPerTask: 100_000, evaluateEvery: 10_000, episodes: 10 } as const;

export function timetableOf({ sequence, stepsPerTask, evaluateEvery }: ContinualSettings): Timetable {
  return { tasks: sequence.length, stepsPerTask, evaluateEvery };
}

/** Two sessions with one fingerprint are parts of the same training. */
export function continualFingerprint(settings: ContinualSettings, contents: readonly unknown[]): string {
  return createHash('sha256')
    .update(JSON.stringify([Object.entries(settings).sort(([a], [b]) => (a < b ? -1 : 1)), contents]))
    .digest('hex');
}

/**
 * Refuses settings that cannot work, before anything is read.
 * @throws L2mError L2M_CONFIG_INVALID naming the setting
 */
export function checkContinualSettings(settings: ContinualSettings): void {
  const isShare = (value: number): boolean => value >= 0 && value <= 1;
  const whole = (value: number, least: number): boolean => Number.isInteger(value) && value >= least;
  const rules: readonly (readonly [string, unknown, boolean])[] = [
    ['sequence', `${settings.sequence.length} tasks`, settings.sequence.length > 0],
    ['steps per task', settings.stepsPerTask, whole(settings.stepsPerTask, 1)],
    ['batch', settings.batchSize, whole(settings.batchSize, 1)],
    ['learning rate', settings.learningRate, settings.learningRate > 0 && settings.learningRate < 1],
    ['weight decay', settings.weightDecay, settings.weightDecay >= 0 && settings.weightDecay < 1],
    ['seed', settings.seed, whole(settings.seed, 0)],
    ['penalty strength', settings.penaltyStrength, settings.penaltyStrength >= 0],
    ['replayed share', settings.replayShare, settings.replayShare > 0 && settings.replayShare < 1],
    ['replayed episodes', settings.replayEpisodes, whole(settings.replayEpisodes, 1)],
    ['identity keys', settings.identityKeys, whole(settings.identityKeys, 1)],
    ['keys per task', settings.keysPerTask, whole(settings.keysPerTask, 1)],
    ['query windows', settings.queryWindows, whole(settings.queryWindows, 1)],
    ['updates between evaluations', settings.evaluateEvery, whole(settings.evaluateEvery, 1)],
    ['episodes', settings.episodes, whole(settings.episodes, 1)],
    ['pool size', settings.poolSize, settings.poolSize === undefined || whole(settings.poolSize, 1)],
    ['rank', settings.rank, settings.rank === undefined || whole(settings.rank, 1)],
    ['share of late windows', settings.lateShare, isShare(settings.lateShare ?? 0)],
    ['pull weight', settings.pullWeight, settings.pullWeight >= 0],
    ['steps that vote', settings.voteSteps, settings.voteSteps === undefined || whole(settings.voteSteps, 1)],
    ['updates', totalUpdates(timetableOf(settings)), totalUpdates(timetableOf(settings)) < 2 ** 40],
  ];
  const broken = rules.find(([, , fits]) => !fits);
  if (broken !== undefined) throw new L2mError('L2M_CONFIG_INVALID', `${broken[0]} is ${String(broken[1])}`);
}
