import type { Command } from 'commander';
import { resolve } from 'node:path';
import { expandTasks } from '../../agent/tasks/expand-tasks.ts';
import type { TaskId } from '../../protocol/task.ts';
import {
  SMALL_ADAPTATION,
  type AdaptationSettings,
  type SuccessChoice,
  type TargetChoice,
} from '../adaptation/adaptation-settings.ts';
import { readManifest } from '../checkpoints/read-checkpoint.ts';
import { identityKeysOf } from '../continual/continual-options.ts';
import { L2mError } from '../errors.ts';
import { defaultCheckpoint } from './default-checkpoint.ts';
import { numberList, numberWithin, oneOf, wholeNumber } from './option-values.ts';

/** Flags of `l2m adapt`, as commander gives them. */
export interface AdaptFlags extends Record<string, unknown> {
  readonly task?: string;
  readonly checkpoint?: string;
  readonly rounds: number;
  readonly episodes: number;
  readonly updates: number;
  readonly noise: number[];
  readonly temperature: number[];
  readonly targets: TargetChoice;
  readonly success: SuccessChoice;
  readonly targetReturn?: number;
  readonly demonstrations: number;
  readonly pairs: number;
  readonly batch: number;
  readonly learningRate: number;
  readonly pretrainingTasks?: string;
  readonly reportEpisodes: number;
  readonly otherEpisodes: number;
  readonly horizon?: number;
  readonly seed: number;
  readonly name?: string;
  readonly json?: string;
  readonly serve?: true;
  readonly resume?: true;
  readonly overwrite?: true;
}

const DEFAULTS = SMALL_ADAPTATION;

export function addAdaptFlags(command: Command): Command {
  return command
    .option('--task <name>', 'the task to adapt to')
    .option('--checkpoint <folder>', 'the model to start from (default: the shipped one)')
    .option('--rounds <number>', 'rounds in all; --resume may be given more', wholeNumber(1, 9999), 5)
    .option('--episodes <number>', 'start states of a round', wholeNumber(1, 10_000), DEFAULTS.episodes)
    .option('--updates <number>', 'updates of a round', wholeNumber(1, 1_000_000), DEFAULTS.updates)
    .option(
      '--noise <list>',
      'deviations of the action noise, one a pass over the starts that are not solved yet',
      numberList(0, 2),
      [...DEFAULTS.noises],
    )
    .option(
      '--temperature <list>',
      'temperatures at which actions are drawn, one a further pass over the starts that are not solved yet; 0: none',
      numberList(0, 2),
      [...DEFAULTS.temperatures],
    )
    .option(
      '--targets <what>',
      'what is learned of steps with noise: decided (by the policy) or executed',
      oneOf<TargetChoice>(['decided', 'executed']),
      DEFAULTS.targets,
    )
    .option('--success <when>', 'any-time or at-end', oneOf<SuccessChoice>(['any-time', 'at-end']), 'any-time')
    .option('--target-return <number>', 'keep episodes with this return, too', numberWithin(-1e9, 1e9))
    .option(
      '--demonstrations <number>',
      "episodes of the scripted expert to learn from beside the policy's own",
      wholeNumber(0, 10_000),
      DEFAULTS.demonstrations,
    )
    .option('--pairs <number>', 'most pairs of a paired evaluation', wholeNumber(1, 10_000), DEFAULTS.test.maxPairs)
    .option('--batch <number>', 'windows of one update', wholeNumber(1, 4096), DEFAULTS.batchSize)
    .option('--learning-rate <number>', 'constant', numberWithin(1e-9, 1), DEFAULTS.learningRate)
    .option('--pretraining-tasks <list>', 'tasks that must stay as they are (default: what the checkpoint names)')
    .option('--report-episodes <number>', 'episodes before and after', wholeNumber(1, 10_000), DEFAULTS.reportEpisodes)
    .option(
      '--other-episodes <number>',
      'episodes of each other task before and after',
      wholeNumber(1, 10_000),
      DEFAULTS.otherEpisodes,
    )
    .option('--horizon <number>', "steps of an episode (default: the protocol's)", wholeNumber(1, 1000))
    .option('--seed <number>', 'seed of starts, noise, windows and keys', wholeNumber(0, 0xffffffff), 42)
    .option('--name <name>', 'name; its folder is adaptations/NAME in the data directory (default: task and seed)')
    .option('--json <file>', 'write the result as JSON')
    .option('--serve', 'serve the page meanwhile')
    .option('--resume', 'go on where this adaptation was')
    .option('--overwrite', 'start over although this adaptation exists');
}

/** @throws L2mError L2M_CONFIG_INVALID without exactly one task */
export function adaptedTask({ task }: AdaptFlags): TaskId {
  const [found, ...more] = task === undefined ? [] : expandTasks([task]);
  if (found !== undefined && more.length === 0) return found;
  throw new L2mError('L2M_CONFIG_INVALID', task === undefined ? 'no --task' : `--task ${task} is not one task`, {
    hint: 'Name one task; see `npx l2m tasks`.',
  });
}

export function checkpointOf({ checkpoint }: AdaptFlags): string {
  return resolve(checkpoint ?? defaultCheckpoint());
}

/** How many of the tasks that are to stay are evaluated before and after. */
const OTHERS = 3;

/**
 * What these flags ask for.
 * @throws L2mError L2M_CONFIG_INVALID if nobody says what the checkpoint can do already
 */
export async function adaptSettings(flags: AdaptFlags): Promise<AdaptationSettings> {
  const task = adaptedTask(flags);
  const manifest = await readManifest(checkpointOf(flags));
  const known = new Set(manifest.data.map((source) => source.task));
  const given = flags.pretrainingTasks === undefined ? [...known] : expandTasks(flags.pretrainingTasks.split(','));
  const identityTasks = given.filter((each) => each !== task);
  if (identityTasks.length === 0) {
    throw new L2mError('L2M_CONFIG_INVALID', `${manifest.name} does not say what it was pre-trained on`, {
      hint: 'Name tasks with --pretraining-tasks: what the policy does on them stays as it is.',
    });
  }
  const {
    episodes,
    updates,
    noise,
    temperature,
    targets,
    success,
    targetReturn,
    demonstrations,
    pairs,
    batch,
    learningRate,
  } = flags;
  const { reportEpisodes, otherEpisodes, horizon, seed } = flags;
  return {
    ...DEFAULTS,
    ...{
      task,
      seed,
      success,
      targetReturn: targetReturn ?? null,
      episodes,
      noises: noise,
      temperatures: temperature.filter((each) => each > 0),
      targets,
      demonstrations,
      updates,
    },
    ...{ batchSize: batch, learningRate, test: { ...DEFAULTS.test, maxPairs: pairs } },
    // Whoever wants success at the last step has to learn what comes after the first success, too.
    afterSuccessWeight: success === 'any-time' ? 0.25 : 1,
    identityKeys: identityKeysOf({ identityTasks, keysPerTask: DEFAULTS.keysPerTask }),
    ...{ identityTasks, others: spread(identityTasks, OTHERS), reportEpisodes, otherEpisodes },
    horizon: horizon ?? null,
  };
}

/** So many of a list, at equal distances. */
function spread<Item>(items: readonly Item[], count: number): Item[] {
  return items.filter(
    (_, i) => Math.floor((i * count) / items.length) !== Math.floor(((i - 1) * count) / items.length),
  );
}
