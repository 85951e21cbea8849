import type { TaskSpec } from '../../protocol/task.ts';
import type { EpisodeRecord } from '../store/records.ts';
import type { EpisodeReport } from './active-run.ts';

/** An episode as the store keeps it. Tasks that report no success are `scored` by their return alone. */
export function episodeRecord(run: string, report: EpisodeReport, spec: TaskSpec): EpisodeRecord {
  const { plan, attempt, worker, end } = report;
  const common = { run, task: plan.task, start: plan.start, attempt, worker, finishedAt: new Date() };
  if (end.kind === 'error') {
    const empty = { length: 0, return: 0, selections: null, similarityMean: null, wallSeconds: 0, policyVersion: 0 };
    return { ...common, ...empty, outcome: 'error', errorCode: end.code, errorMessage: end.message };
  }
  const { outcome } = end;
  const pooled = outcome.selections.some((selected) => selected >= 0);
  const measured = {
    length: outcome.length,
    return: outcome.return,
    selections: pooled ? outcome.selections : null,
    similarityMean: pooled ? outcome.meanSimilarity : null,
    wallSeconds: outcome.wallSeconds,
    policyVersion: outcome.policyVersion,
    assistedSteps: outcome.assistedSteps,
  };
  if (!spec.reportsSuccess) return { ...common, ...measured, outcome: 'scored' };
  const succeeded = outcome.successes.includes(1);
  return { ...common, ...measured, outcome: succeeded ? 'success' : 'failure', successes: outcome.successes };
}
