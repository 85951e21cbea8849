import { domainOf, taskName, type TaskId } from '../../protocol/task.ts';
import { DMCONTROL_RETURNS } from './dmcontrol-returns.ts';
import { METAWORLD_RETURNS } from './metaworld-returns.ts';

/** The two returns that count as 0 and as 1. */
export interface ReturnScale {
  readonly zero: number;
  readonly one: number;
}

/**
 * What a task's normalised score is measured between: random actions, and the data set's mean (DMControl, spec §6.2) or its best
 * return (Meta-World).
 *
 * @returns null for a task without numbers, or whose data set is worse than random actions
 */
export function returnScale(task: TaskId): ReturnScale | null {
  const scale = scaleOf(task);
  return scale !== null && scale.one > scale.zero ? scale : null;
}

/** 0 for random actions, 1 for the data; may lie outside. Null where `returnScale` is. */
export function normalizedScore(task: TaskId, episodeReturn: number): number | null {
  const scale = returnScale(task);
  return scale === null ? null : (episodeReturn - scale.zero) / (scale.one - scale.zero);
}

function scaleOf(task: TaskId): ReturnScale | null {
  const name = taskName(task);
  if (domainOf(task) === 'dmcontrol') {
    const returns = Object.hasOwn(DMCONTROL_RETURNS, name) ? DMCONTROL_RETURNS[name] : undefined;
    return returns === undefined ? null : { zero: returns.random, one: returns.data };
  }
  const bare = withoutVersion(name);
  const returns = Object.hasOwn(METAWORLD_RETURNS, bare) ? METAWORLD_RETURNS[bare] : undefined;
  return returns === undefined ? null : { zero: returns.random, one: returns.target };
}

/** `reach` of `reach-v3`. */
export function withoutVersion(name: string): string {
  return name.replace(/-v\d+$/, '');
}
