import type { Episode, EpisodeSizes } from '../learning/episode.ts';
import type { TrajectoryHead } from '../learning/trajectory-format.ts';
import type { ParquetColumn } from '../store/parquet-file.ts';

/** One column of frames, as `meta/info.json` describes it. */
export interface LerobotFeature {
  readonly name: string;
  readonly dtype: 'float32' | 'int64' | 'bool';
  readonly shape: readonly [number];
  readonly names: readonly string[] | null;
  /** Its values in a frame; `index` counts frames over all episodes. */
  readonly valueOf: (frame: Frame) => number | boolean | Float32Array;
}

export interface Frame {
  readonly episode: Episode;
  /** Within the episode. */
  readonly step: number;
  readonly episodeIndex: number;
  readonly index: number;
  readonly taskIndex: number;
}

/**
 * The columns of a data set: what LeRobot's policies read (`observation.state`, `action`, `next.*`), the columns it always has, and
 * `expert_action`, which is `action` without noise and hence what to imitate.
 */
export function lerobotFeatures({ spec }: TrajectoryHead, sizes: EpisodeSizes, fps: number): LerobotFeature[] {
  const { observationSize, actionSize } = sizes;
  const names = spec.observation.flatMap(({ name, size }) => Array.from({ length: size }, (_, i) => `${name}_${i}`));
  const actionNames = Array.from({ length: actionSize }, (_, i) => `action_${i}`);
  const row = (values: Float32Array, step: number, width: number) => values.subarray(step * width, (step + 1) * width);
  const vector = (name: string, parts: readonly string[], valueOf: LerobotFeature['valueOf']): LerobotFeature => {
    return { name, dtype: 'float32', shape: [parts.length], names: parts, valueOf };
  };
  const scalar = (name: string, dtype: LerobotFeature['dtype'], valueOf: LerobotFeature['valueOf']): LerobotFeature => {
    return { name, dtype, shape: [1], names: null, valueOf };
  };
  const success = scalar('next.success', 'bool', ({ episode, step }) => episode.successes[step] === 1);
  return [
    vector('observation.state', names, ({ episode, step }) => row(episode.observations, step, observationSize)),
    vector('action', actionNames, ({ episode, step }) => row(episode.actions, step, actionSize)),
    vector('expert_action', actionNames, ({ episode, step }) => row(episode.targets, step, actionSize)),
    scalar('next.reward', 'float32', ({ episode, step }) => episode.rewards[step] ?? 0),
    scalar('next.done', 'bool', ({ episode, step }) => step === episode.rewards.length - 1),
    ...(spec.reportsSuccess ? [success] : []),
    scalar('timestamp', 'float32', ({ step }) => step / fps),
    scalar('frame_index', 'int64', ({ step }) => step),
    scalar('episode_index', 'int64', ({ episodeIndex }) => episodeIndex),
    scalar('index', 'int64', ({ index }) => index),
    scalar('task_index', 'int64', ({ taskIndex }) => taskIndex),
  ];
}

/** A vector of one number is a number there. */
export function columnOf({ name, dtype, shape }: LerobotFeature): ParquetColumn {
  if (shape[0] > 1) return { name, type: 'floats' };
  return { name, type: dtype === 'float32' ? 'float' : dtype === 'int64' ? 'bigint' : 'boolean' };
}

/** The value of a frame as numbers, for statistics. */
export function numbersOf(feature: LerobotFeature, frame: Frame): ArrayLike<number> {
  const value = feature.valueOf(frame);
  return value instanceof Float32Array ? value : [Number(value)];
}

/** The value of a frame as its column takes it. */
export function cellOf(feature: LerobotFeature, frame: Frame): number | boolean | Float32Array {
  const value = feature.valueOf(frame);
  return value instanceof Float32Array && feature.shape[0] === 1 ? (value[0] ?? 0) : value;
}
