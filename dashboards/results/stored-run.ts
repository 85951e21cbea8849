import type { RunSummary, TaskScore } from '../../protocol/dashboard-views.ts';
import { fetchJson } from './fetch-json.ts';
import type { RunRow } from './run-rows.ts';

/** A run of an earlier life of the server, as the page shows runs. @throws Error with the server's words */
export async function fetchStoredRun(run: string): Promise<RunSummary> {
  const reply = await fetchJson<{ run: RunRow & { redoneEpisodes: number }; scores: TaskScore[] }>(
    `api/runs/${encodeURIComponent(run)}`,
  );
  const { kind, protocol, state, policy, seed, plannedEpisodes, finishedEpisodes, errorEpisodes } = reply.run;
  return {
    ...{ run, state, policy, seed, plannedEpisodes, finishedEpisodes, errorEpisodes, tasks: reply.scores },
    ...{ kind: kind as RunSummary['kind'], protocol: protocol as RunSummary['protocol'] },
    ...{ redoneEpisodes: reply.run.redoneEpisodes, startedAt: reply.run.startedAt, message: reply.run.message },
    ...{ steps: 0, stepsPerSecond: 0, secondsLeft: null },
    meanSuccessAnyTime: mean(reply.scores, 'successAnyTime'),
    meanSuccessAtEnd: mean(reply.scores, 'successAtEnd'),
  };
}

function mean(scores: readonly TaskScore[], which: 'successAnyTime' | 'successAtEnd'): number | null {
  const rates = scores.flatMap((score) => score[which].rate ?? []);
  return rates.length === 0 ? null : rates.reduce((sum, rate) => sum + rate, 0) / rates.length;
}
