import type { ModelConfig } from '../../agent/config.ts';
import { tokenFromAction } from '../../agent/context/action-tokenizer.ts';
import { stateIndices } from '../../agent/context/state-mapping.ts';
import { domainOf, type Domain } from '../../protocol/task.ts';
import { L2mError } from '../errors.ts';
import type { Trajectories } from './trajectory-reader.ts';

/** A trajectory file made ready for drawing windows: observations keep their native width, actions become tokens of one byte. */
export interface LearningTask {
  readonly trajectories: Trajectories;
  readonly domain: Domain;
  readonly actionSize: number;
  /** [W] position of each native observation value in the unified vector. */
  readonly stateIndices: Int32Array;
  /** [N, actionSize] */
  readonly actionTokens: Uint8Array;
  /** [N, actionSize] */
  readonly targetTokens: Uint8Array;
  /** [N] undiscounted sum of rewards from this row to the end of its episode, unscaled (spec §7.2). */
  readonly returnsToGo: Float32Array;
  /** [E] first row of each episode after which little is left to do, see `settledRows`; its end if there is none. */
  readonly settledRows: Int32Array;
  /** Episodes to learn from, and those kept back to measure the loss on. */
  readonly training: readonly number[];
  readonly heldOut: readonly number[];
}

/** The widest action of some tasks. */
export function mostDimensions(tasks: Iterable<Pick<LearningTask, 'actionSize'>>): number {
  return Math.max(...Array.from(tasks, ({ actionSize }) => actionSize));
}

export interface LearningTaskOptions {
  readonly model: ModelConfig;
  /** Share of episodes kept back, spread evenly over the file; 0 keeps none. */
  readonly heldOutShare: number;
}

/**
 * Prepares a trajectory file for drawing windows.
 * @throws L2mError L2M_DATA_INVALID if observations or actions do not fit the model
 */
export function learningTask(trajectories: Trajectories, options: LearningTaskOptions): LearningTask {
  const { model } = options;
  const { head, path, sizes } = trajectories;
  const domain = domainOf(head.task);
  if (sizes.actionSize > model.actionSize) {
    throw new L2mError(
      'L2M_DATA_INVALID',
      `${path}: actions of ${sizes.actionSize} dimensions for a model of ${model.actionSize}`,
    );
  }
  const { training, heldOut } = splitEpisodes(trajectories.episodeCount, options.heldOutShare);
  return {
    trajectories,
    domain,
    actionSize: sizes.actionSize,
    stateIndices: stateIndices(head.spec, model.stateSize),
    actionTokens: tokens(trajectories.actions, model.bins),
    targetTokens: tokens(trajectories.targets, model.bins),
    returnsToGo: returnsToGo(trajectories.rewards, trajectories.episodeOffsets),
    settledRows: settledRows(trajectories),
    training,
    heldOut,
  };
}

/**
 * Undiscounted return-to-go of every row: a reversed cumulative sum in float32, as the reference computes it (spec §7.2).
 *
 * @param rewards [N]
 * @param episodeOffsets [E + 1]
 */
export function returnsToGo(rewards: Float32Array, episodeOffsets: Int32Array): Float32Array {
  const result = new Float32Array(rewards.length);
  for (let episode = 0; episode + 1 < episodeOffsets.length; episode++) {
    const first = episodeOffsets[episode] ?? 0;
    let remaining = 0;
    for (let row = (episodeOffsets[episode + 1] ?? 0) - 1; row >= first; row--) {
      remaining = Math.fround(remaining + (rewards[row] ?? 0));
      result[row] = remaining;
    }
  }
  return result;
}

/** Highest return of an episode, unscaled; -Infinity without episodes. */
export function highestReturn({ trajectories, returnsToGo }: LearningTask): number {
  const first = trajectories.episodeOffsets.subarray(0, -1);
  return first.reduce((most, row) => Math.max(most, returnsToGo[row] ?? 0), -Infinity);
}

/** A reward near the most there is, for so many steps: the pole stands, the finger's target is reached. */
const SETTLED_REWARD = 0.9;
const SETTLED_STEPS = 25;

/**
 * First row after the first success, or where none are reported (DMControl) after rewards that have stayed near their greatest, 1, for a
 * while. From there on experts mostly hold what they reached.
 */
export function settledRows({
  head,
  successes,
  rewards,
  episodeOffsets,
}: Pick<Trajectories, 'head' | 'successes' | 'rewards' | 'episodeOffsets'>): Int32Array {
  const needed = head.spec.reportsSuccess ? 1 : SETTLED_STEPS;
  const counts = (row: number): boolean =>
    head.spec.reportsSuccess ? successes[row] !== 0 : (rewards[row] ?? 0) >= SETTLED_REWARD;
  return Int32Array.from({ length: episodeOffsets.length - 1 }, (_, episode) => {
    const end = episodeOffsets[episode + 1] ?? 0;
    let row = episodeOffsets[episode] ?? 0;
    for (let lasting = 0; row < end && lasting < needed; row++) lasting = counts(row) ? lasting + 1 : 0;
    return row;
  });
}

function tokens(actions: Float32Array, bins: number): Uint8Array {
  return Uint8Array.from(actions, (action) => tokenFromAction(action, bins));
}

/**
 * Every k-th episode is held out, k = 1 / share. Files are ordered by start and collectors cycle through noise levels, so the offset
 * moves by one each time: held-out episodes then have all noise levels.
 */
function splitEpisodes(count: number, share: number): { training: number[]; heldOut: number[] } {
  const episodes = Array.from({ length: count }, (_, episode) => episode);
  if (share === 0 || count < 2) return { training: episodes, heldOut: [] };
  const every = Math.max(2, Math.round(1 / share));
  const isHeldOut = (episode: number) => episode % every === Math.floor(episode / every) % every;
  return { training: episodes.filter((episode) => !isHeldOut(episode)), heldOut: episodes.filter(isHeldOut) };
}
