import { decidingLead, SEQUENTIAL_TEST, type SequentialTestOptions } from '../../agent/scoring/sequential-test.ts';
import { domainOf, type TaskId } from '../../protocol/task.ts';
import { SMALL_CONTINUAL, type ContinualSettings } from '../continual/continual-options.ts';
import { L2mError } from '../errors.ts';
import { seedFor } from '../learning/window-sampler.ts';

/** Which of the two definitions of success counts. */
export type SuccessChoice = 'any-time' | 'at-end';

export type TargetChoice = 'decided' | 'executed';

/** Settings that decide what an adaptation does; going on, they must be the same. The number of rounds may grow. */
export interface AdaptationSettings {
  readonly task: TaskId;
  readonly seed: number;
  readonly success: SuccessChoice;
  /** An episode with at least this return is kept whether or not it succeeds; null: the best quarter where the task knows no success. */
  readonly targetReturn: number | null;
  /** Start states of a round. */
  readonly episodes: number;
  /** Deviations of the action noise, one a pass over the starts; a pass visits only those that no earlier one solved. */
  readonly noises: readonly number[];
  /** Temperatures at which actions are drawn, one a pass, after the passes with noise. */
  readonly temperatures: readonly number[];
  /** What is learned of a step with noise: what the policy decided there, or what was executed. */
  readonly targets: TargetChoice;
  /** Episodes kept of one start, those with the highest return. */
  readonly mostPerStart: number;
  /** Kept episodes that are learned from, the newest; older ones are passed over. */
  readonly memoryEpisodes: number;
  /** Of scripted experts, learned from beside the own ones; 0 learns from the own ones alone. */
  readonly demonstrations: number;
  /** Updates of a round. */
  readonly updates: number;
  readonly batchSize: number;
  readonly learningRate: number;
  readonly afterSuccessWeight: number;
  readonly identityKeys: number;
  readonly keysPerTask: number;
  readonly queryWindows: number;
  /** See `PoolSizes`; absent in adaptations from before it was there, which go on without. */
  readonly byLayout?: true;
  /** Tasks of the pre-training whose behaviour is held, and episodes of each that say what it asks the pool with. */
  readonly identityTasks: readonly TaskId[];
  readonly identityEpisodes: number;
  readonly test: SequentialTestOptions;
  /** Pairs between two looks at the test. */
  readonly pairsAtOnce: number;
  /** Tasks that are evaluated before and after beside the adapted one. */
  readonly others: readonly TaskId[];
  readonly reportEpisodes: number;
  readonly otherEpisodes: number;
  /** Steps of an episode; null takes the protocol's own. */
  readonly horizon: number | null;
}

type Defaults = Omit<
  AdaptationSettings,
  'task' | 'seed' | 'success' | 'targetReturn' | 'afterSuccessWeight' | 'identityTasks' | 'identityKeys' | 'others'
>;

/** For a small machine and the shipped model. */
export const SMALL_ADAPTATION = {
  ...{
    episodes: 50,
    noises: [0],
    temperatures: [1, 1.5],
    targets: 'decided',
    mostPerStart: 1,
    memoryEpisodes: 2000,
    demonstrations: 0,
  },
  ...{ updates: 200, batchSize: 128, learningRate: 1e-3, keysPerTask: 10, queryWindows: 2048, byLayout: true },
  ...{ identityEpisodes: 4, test: SEQUENTIAL_TEST, pairsAtOnce: 15 },
  ...{ reportEpisodes: 50, otherEpisodes: 10, horizon: null },
} as const satisfies Defaults;

/** What all episodes of an adaptation are simulated by. */
export const ADAPTATION_PROTOCOL = 'l2m-paper';

/** Start states before and after are those of `l2m evaluate`, so figures can be compared. */
export const REPORT_SEED = 42;

/** Starts that are learned from and starts that decide about promotion never meet, nor do they meet those of the report. */
export function startSeed({ seed }: Pick<AdaptationSettings, 'seed'>, purpose: 'rollouts' | 'pairs'): number {
  return seedFor(seed, `adaptation ${purpose}`, 0) % 2 ** 32;
}

/** The same training in the words of `server/continual`: one task, of which no round has the last update. */
export function learnerSettings(settings: AdaptationSettings): ContinualSettings {
  const { task, seed, batchSize, learningRate, afterSuccessWeight } = settings;
  const { identityKeys, keysPerTask, queryWindows, identityTasks } = settings;
  return {
    ...SMALL_CONTINUAL,
    ...{ sequence: [task], method: 'fitted-keys', seed, stepsPerTask: 2 ** 30, batchSize, learningRate },
    ...{ afterSuccessWeight, identityKeys, keysPerTask, queryWindows, identityTasks, others: [], penaltyStrength: 0 },
  };
}

/**
 * Refuses settings that cannot work, before anything is simulated.
 * @throws L2mError L2M_CONFIG_INVALID naming the setting
 */
export function checkAdaptationSettings(settings: AdaptationSettings): void {
  const whole = (value: number, least: number): boolean => Number.isInteger(value) && value >= least;
  const { noises, temperatures, demonstrations, task, identityTasks } = settings;
  const distinct = (values: readonly number[]) => new Set(values.map(Math.fround)).size === values.length;
  const within = (values: readonly number[], least: number) => values.every((value) => value >= least && value <= 2);
  const rules: readonly (readonly [string, unknown, boolean])[] = [
    ['seed', settings.seed, whole(settings.seed, 0)],
    ['episodes', settings.episodes, whole(settings.episodes, 1)],
    ['noise', noises.join(), noises.length > 0 && distinct(noises) && within(noises, 0)],
    ['temperatures', temperatures.join(), distinct(temperatures) && within(temperatures, 0.01)],
    ['kept episodes of a start', settings.mostPerStart, whole(settings.mostPerStart, 1)],
    ['kept episodes', settings.memoryEpisodes, whole(settings.memoryEpisodes, 1)],
    ['demonstrations', demonstrations, whole(demonstrations, 0)],
    ['updates', settings.updates, whole(settings.updates, 1)],
    ['batch', settings.batchSize, whole(settings.batchSize, 1)],
    ['learning rate', settings.learningRate, settings.learningRate > 0 && settings.learningRate < 1],
    ['identity keys', settings.identityKeys, whole(settings.identityKeys, 1)],
    ['identity episodes', settings.identityEpisodes, whole(settings.identityEpisodes, 1)],
    ['keys', settings.keysPerTask, whole(settings.keysPerTask, 1)],
    ['pairs at once', settings.pairsAtOnce, whole(settings.pairsAtOnce, 1)],
    ['report episodes', settings.reportEpisodes, whole(settings.reportEpisodes, 1)],
    ['identity tasks', identityTasks.join(), !identityTasks.includes(task)],
  ];
  const broken = rules.find(([, , fits]) => !fits);
  if (broken !== undefined) throw new L2mError('L2M_CONFIG_INVALID', `${broken[0]} is ${String(broken[1])}`);
  if (demonstrations > 0 && domainOf(task) !== 'metaworld') {
    throw new L2mError('L2M_TASK_UNSUPPORTED', `${task} has no scripted expert for demonstrations`);
  }
  try {
    decidingLead(settings.test);
  } catch (cause) {
    throw new L2mError('L2M_CONFIG_INVALID', (cause as Error).message, { cause });
  }
}
