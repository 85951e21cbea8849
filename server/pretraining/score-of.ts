import type { RunSummary, TaskScore } from '../../protocol/dashboard-views.ts';

/**
 * What decides which weights of a training are best: the mean over tasks of the share of episodes with success at any time, or, where
 * the simulator reports no success, of the normalised score (0 where there is none).
 */
export function scoreOf({ tasks }: Pick<RunSummary, 'tasks'>): number {
  const each = tasks.map(
    ({ successAnyTime, normalizedScore }: TaskScore) => successAnyTime.rate ?? normalizedScore ?? 0,
  );
  return each.reduce((sum, score) => sum + score, 0) / Math.max(1, each.length);
}
