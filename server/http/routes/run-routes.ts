import type { RunSummary, TaskScore } from '../../../protocol/dashboard-views.ts';
import type { RunHead } from '../../store/records.ts';
import { RunScores } from '../../store/run-scores.ts';
import type { Api } from '../build-http.ts';
import type { HttpDependencies } from '../contracts.ts';
import {
  EpisodesQuery,
  EpisodesReply,
  errorReplies,
  MetricsQuery,
  MetricsReply,
  RunParams,
  RunReply,
  RunsQuery,
  RunsReply,
  ScoresReply,
} from '../schemas.ts';

const shared = { tags: ['runs'], params: RunParams };
const config = { access: 'viewer' } as const;

/** What was run and how it went. */
export function addRunRoutes(api: Api, { store, runs }: HttpDependencies): void {
  api.get(
    '/api/runs',
    {
      config,
      schema: {
        summary: 'Runs, by filter and in any order; newest first',
        tags: ['runs'],
        querystring: RunsQuery,
        response: { 200: RunsReply, ...errorReplies },
      },
    },
    async (request) => {
      const { total, runs: heads } = await store.listRuns(request.query);
      return { total, runs: heads.map((head) => withLive(head, runs.summary(head.run))) };
    },
  );

  api.get(
    '/api/runs/:run',
    {
      config,
      schema: {
        summary: 'One run with its configuration, provenance and scores',
        ...shared,
        response: { 200: RunReply, ...errorReplies },
      },
    },
    async (request) => {
      const stored = await store.getRun(request.params.run);
      const live = runs.summary(stored.run);
      const scores =
        live?.tasks ?? new RunScores(stored.tasks, await store.latestEpisodes(stored.run), stored.protocol).scores();
      return { run: withLive(stored, live), scores, live: live ?? null };
    },
  );

  api.get(
    '/api/runs/:run/episodes',
    {
      config,
      schema: {
        summary: 'Episodes of a run, every attempt',
        ...shared,
        querystring: EpisodesQuery,
        response: { 200: EpisodesReply, ...errorReplies },
      },
    },
    (request) => store.listEpisodes(request.params.run, request.query),
  );

  api.get(
    '/api/runs/:run/scores',
    {
      config,
      schema: {
        summary: 'Scores of each task: both success rates with intervals, returns, errors apart',
        ...shared,
        response: { 200: ScoresReply, ...errorReplies },
      },
    },
    async (request) => {
      const stored = await store.getRun(request.params.run);
      const live = runs.summary(stored.run);
      const scores = new RunScores(
        stored.tasks,
        live === undefined ? await store.latestEpisodes(stored.run) : [],
        stored.protocol,
      );
      const { meanSuccessAnyTime, meanSuccessAtEnd } = live ?? scores.totals();
      const state = live?.state ?? stored.state;
      return { run: stored.run, state, scores: live?.tasks ?? scores.scores(), meanSuccessAnyTime, meanSuccessAtEnd };
    },
  );

  api.get(
    '/api/runs/:run/metrics',
    {
      config,
      schema: {
        summary: 'Training curves of a run',
        ...shared,
        querystring: MetricsQuery,
        response: { 200: MetricsReply, ...errorReplies },
      },
    },
    async (request) => ({ points: await store.metrics(request.params.run, request.query) }),
  );
}

/** The store learns of a change a moment after it happened; what runs now says more. */
function withLive<Head extends RunHead>(head: Head, live: RunSummary | undefined): Head {
  if (live === undefined) return head;
  const { state, finishedEpisodes, errorEpisodes, redoneEpisodes, message, tasks } = live;
  const sum = (count: (task: TaskScore) => number): number => tasks.reduce((total, task) => total + count(task), 0);
  return {
    ...{ ...head, state, finishedEpisodes, errorEpisodes, redoneEpisodes, message },
    judgedEpisodes: sum((task) => task.successAnyTime.episodes),
    successesAnyTime: sum((task) => task.successAnyTime.successes),
    successesAtEnd: sum((task) => task.successAtEnd.successes),
  };
}
