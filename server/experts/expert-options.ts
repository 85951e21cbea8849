import { createHash } from 'node:crypto';
import type { TaskId } from '../../protocol/task.ts';
import { L2mError } from '../errors.ts';
import type { BackendOptions } from '../tensors/backend.ts';

export const EXPLORATIONS = ['pink', 'white'] as const;
export type Exploration = (typeof EXPLORATIONS)[number];

/** Everything that decides what is learned, except how long it lasts. */
export interface ExpertSettings {
  readonly task: TaskId;
  readonly seed: number;
  /** Widths of the hidden layers of actor and critics. */
  readonly hidden: readonly number[];
  readonly batchSize: number;
  /** E, environments that step together. */
  readonly lanes: number;
  /** Simulator steps of one decision. */
  readonly actionRepeat: number;
  /** Simulator steps of an episode. */
  readonly horizon: number;
  /** Transitions that are drawn from: the newest. */
  readonly capacity: number;
  /** Decisions that are made at random before the first update. */
  readonly warmUpDecisions: number;
  readonly updatesPerDecision: number;
  readonly discount: number;
  readonly targetRate: number;
  readonly learningRate: number;
  readonly temperatureLearningRate: number;
  /** Chance in acting while it learns: `white` draws every decision anew, as published; `pink` drifts (beyond the paper). */
  readonly exploration: Exploration;
  /** Absent: the actor begins at random. */
  readonly start?: ExpertStart;
}

/** A trained actor to begin with. It acts from the first decision on, and stands still while the critics learn what it is worth. */
export interface ExpertStart {
  /** Hash of its file. */
  readonly sha256: string;
  /** Updates that leave the actor as it was. */
  readonly criticUpdates: number;
}

export interface ExpertOptions extends ExpertSettings {
  /** Simulator steps over all environments and sessions; the round of episodes in which they are reached is finished. */
  readonly steps: number;
  /** End of this session, saved but unfinished, whatever was reached. */
  readonly minutes: number | undefined;
  /** Simulator steps between two evaluations. */
  readonly evaluateEvery: number;
  readonly evaluationEpisodes: number;
  readonly saveEveryMinutes: number;
  /** Name of the data set that the replay becomes. */
  readonly source: string;
  /** Root of the trajectory files. */
  readonly trajectoryFolder: string;
  /** States, learning curve and log of this training. */
  readonly folder: string;
  readonly resume: boolean;
  readonly overwrite: boolean;
  readonly backend: BackendOptions;
  /** Weights of the actor that `start` names. */
  readonly firstActor?: Float32Array;
}

/** Updates of the critics alone before a trained actor goes on learning. */
export const CRITICS_FIRST = 5000;

/** Common sizes for DMControl from states. */
export const EXPERT_DEFAULTS = {
  seed: 1000,
  hidden: [256, 256],
  batchSize: 256,
  lanes: 4,
  actionRepeat: 1,
  horizon: 1000,
  capacity: 1_000_000,
  warmUpDecisions: 1000,
  updatesPerDecision: 1,
  discount: 0.99,
  targetRate: 0.005,
  learningRate: 3e-4,
  temperatureLearningRate: 3e-4,
  exploration: 'pink',
} as const satisfies Omit<ExpertSettings, 'task'>;

/** The settings alone, in a fixed order. */
export function expertSettings(options: ExpertSettings): ExpertSettings {
  const { task, seed, hidden, batchSize, lanes, actionRepeat, horizon, capacity, warmUpDecisions } = options;
  const { updatesPerDecision, discount, targetRate, learningRate, temperatureLearningRate, exploration } = options;
  const { start } = options;
  return {
    ...{ task, seed, hidden, batchSize, lanes, actionRepeat, horizon, capacity, warmUpDecisions },
    ...{ updatesPerDecision, discount, targetRate, learningRate, temperatureLearningRate, exploration },
    ...(start === undefined ? {} : { start }),
  };
}

/** Two calls with one fingerprint are the same training. */
export function expertFingerprint(options: ExpertSettings): string {
  return createHash('sha256')
    .update(JSON.stringify(expertSettings(options)))
    .digest('hex');
}

/** T, decisions of an episode. */
export function decisionsOf({ horizon, actionRepeat }: Pick<ExpertSettings, 'horizon' | 'actionRepeat'>): number {
  return horizon / actionRepeat;
}

/** Updates that are due once so many decisions have been made. */
export function updatesDue(settings: ExpertSettings, decided: number): number {
  return Math.max(0, Math.floor((decided - settings.warmUpDecisions) * settings.updatesPerDecision));
}

/** @throws L2mError L2M_CONFIG_INVALID */
export function checkExpertOptions(options: ExpertOptions): void {
  const decisions = decisionsOf(options);
  const problems: readonly (readonly [boolean, string])[] = [
    [
      Number.isInteger(decisions) && decisions >= 2,
      `--action-repeat ${options.actionRepeat} does not divide ${options.horizon} steps`,
    ],
    [options.discount > 0 && options.discount < 1, `a discount of ${options.discount}`],
    [options.warmUpDecisions >= 2 * options.lanes, `a warm-up of ${options.warmUpDecisions} decisions`],
    [options.capacity >= options.batchSize, `a replay of ${options.capacity} for batches of ${options.batchSize}`],
    [options.updatesPerDecision > 0, `${options.updatesPerDecision} updates a decision`],
    [
      (options.start === undefined) === (options.firstActor === undefined),
      'a first actor without its hash, or the reverse',
    ],
  ];
  const found = problems.find(([fine]) => !fine);
  if (found !== undefined) throw new L2mError('L2M_CONFIG_INVALID', found[1]);
}
