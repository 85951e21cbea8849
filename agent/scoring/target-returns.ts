import { domainOf, taskName, type TaskId } from '../../protocol/task.ts';
import { DMCONTROL_RETURNS } from './dmcontrol-returns.ts';
import { METAWORLD_RETURNS } from './metaworld-returns.ts';
import { withoutVersion } from './normalized-score.ts';

/** Return to ask for where the tables know nothing: nearly the most that rewards allow (10 a step for 200 steps, 1 for 1000). */
const FALLBACK = { metaworld: 1800, dmcontrol: 1000 } as const;

/** The return the reference's policy is asked for, unscaled (spec §6.5). A checkpoint may carry better ones of its own data. */
export function referenceTargetReturn(task: TaskId): number {
  const domain = domainOf(task);
  const name = taskName(task);
  if (domain === 'dmcontrol') {
    return Object.hasOwn(DMCONTROL_RETURNS, name) ? DMCONTROL_RETURNS[name]!.target : FALLBACK.dmcontrol;
  }
  const bare = withoutVersion(name);
  return Object.hasOwn(METAWORLD_RETURNS, bare) ? METAWORLD_RETURNS[bare]!.target : FALLBACK.metaworld;
}
