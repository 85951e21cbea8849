import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expandTasks } from '../agent/tasks/expand-tasks.ts';
import type { ModelView } from '../protocol/dashboard-views.ts';
import { success, failure, type Result } from '../protocol/result.ts';
import { STEP_FLAGS, type ServerMessage } from '../protocol/simulator-messages.ts';
import type { TaskId } from '../protocol/task.ts';
import type { WireError } from '../protocol/error-codes.ts';
import { defaultCheckpoint } from './cli/default-checkpoint.ts';
import { packageVersion } from './cli/package-version.ts';
import type { ServerConfig } from './config-schema.ts';
import { ControlDesk } from './control/control-desk.ts';
import type { Hands } from './control/hands.ts';
import { SceneBodies } from './control/scene-bodies.ts';
import { L2mError, errorFromUnknown } from './errors.ts';
import { readTokens, type AccessTokens } from './http/access.ts';
import { buildHttp } from './http/build-http.ts';
import type { ReadinessReport, RunControl } from './http/contracts.ts';
import { listen } from './http/listen.ts';
import type { EvaluationBody, RunAction } from './http/schemas.ts';
import type { PolicyProvider } from './inference/policy-provider.ts';
import type { PageTokens } from './live/page-access.ts';
import { createPageHub, type NoticeLevel, type PageHubOptions } from './live/page-hub.ts';
import { sceneRoutes } from './live/scene-routes.ts';
import type { SceneBook } from './live/scene-book.ts';
import type { EpisodeReport } from './rollouts/active-run.ts';
import type { Decision } from './rollouts/acting-policy.ts';
import type { RolloutEngine } from './rollouts/engine.ts';
import type { RunningView } from './rollouts/step-observer.ts';
import type { PolicyChoice } from './rollouts/run-request.ts';
import type { RunService } from './rollouts/run-service.ts';
import type { TickRow } from './simulators/tick-rows.ts';
import type { WorkerFleet } from './simulators/worker-fleet.ts';
import type { WorkerRates } from './simulators/worker-rates.ts';
import type { EpisodeRecord } from './store/records.ts';
import { DataCatalog } from './data/data-catalog.ts';
import { PerformanceMatrices } from './store/performance-matrices.ts';
import { FINAL_STATES, isAssisted, scoredEpisodeOf } from './store/records.ts';
import type { RunStore } from './store/run-store.ts';
import { TrainingImport } from './learning/training-import.ts';
import { PoseRebuilder } from './recordings/pose-rebuilder.ts';
import type { RecordingLibrary } from './recordings/recording-library.ts';
import { logFailure, type Log } from './telemetry/log.ts';
import type { Telemetry } from './telemetry/telemetry.ts';
import { writeOwner } from './store/owner-file.ts';

export interface FrontParts {
  readonly config: ServerConfig;
  readonly serverId: string;
  readonly store: RunStore;
  readonly runs: RunService;
  readonly engine: RolloutEngine;
  readonly hands: Hands;
  readonly fleet: WorkerFleet;
  readonly policies: PolicyProvider;
  readonly telemetry: Telemetry;
  readonly log: Log;
  readonly workerRates: WorkerRates;
  readonly scenes: SceneBook;
  readonly policy: NonNullable<PageHubOptions['policy']>;
  readonly recordings: RecordingLibrary;
}

/** What people and programs see of the server from outside: the page with its WebSocket, scenes, and the HTTP API. */
export interface Front {
  readonly url: string;
  notice(level: NoticeLevel, text: string): void;
  /** The geometry of a task is in the store. */
  sceneReady(task: TaskId, hash: string): void;
  /** One episode has geometry of its own. */
  episodeScene(episode: number, hash: string): void;
  /** What people do to simulations is not what it was. */
  handsChanged(): void;
  workersChanged(): void;
  modelChanged(view: ModelView): void;
  episodeStarted(view: RunningView): void;
  stepped(view: RunningView, row: TickRow, decision: Decision | undefined): void;
  runUpdated: ReturnType<typeof createPageHub>['runUpdated'];
  episodeEnded(report: EpisodeReport, record: EpisodeRecord): void;
  close(): Promise<void>;
}

const LOAD_EVERY_MS = 1000;

export async function openFront(parts: FrontParts): Promise<Front> {
  const { config, fleet, runs, telemetry, scenes } = parts;
  const tokens = config.tokens === '' ? {} : await readTokens(config.tokens);
  const allowedHosts = config.allowedHosts === '' ? [] : config.allowedHosts.split(',');
  const workers = () => fleet.views((worker) => Math.round(parts.workerRates.perSecond(worker)));
  const bodies = new SceneBodies(scenes);
  const desk = new ControlDesk({
    hands: parts.hands,
    engine: parts.engine,
    runs: {
      pause: (run) => runs.pause(run),
      resume: (run) => runs.resume(run),
      stateOf: (run) => runs.standing(run),
    },
    specOf: (task) => parts.engine.specOf(task),
    bodiesOf: (task) => bodies.of(task),
    notice: (level, text) => hub.notice(level, text),
  });
  const hub = createPageHub({
    hands: desk,
    serverId: parts.serverId,
    tokens: pageTokens(tokens),
    allowedHosts,
    onControl: (run, action) => controlled(runs, run, action),
    policy: parts.policy,
    onPosesHz: (posesHz, contacts) => fleet.hub.broadcast(watch(posesHz, contacts)),
  });
  const api = await buildHttp(
    {
      store: parts.store,
      recordings: {
        ...{ library: parts.recordings, scenes },
        rebuilder: new PoseRebuilder({
          ...{ library: parts.recordings, config },
          sceneOf: (task) => scenes.of(task),
          liveRuns: () => liveRuns(runs),
        }),
      },
      matrices: new PerformanceMatrices(join(config.data, 'continual'), (path) =>
        parts.log.warn(`${path} is no performance matrix`),
      ),
      data: new DataCatalog(join(config.data, 'trajectories')),
      runs: runControl(runs),
      readiness: () => readiness(parts),
      tasks: {
        hosted: () => [...new Set([...fleet.hub.sessions().values()].flatMap((session) => [...session.tasks]))],
        spec: (task) => fleet.catalog.specs.get(task),
      },
      workers,
      metrics: telemetry.metrics,
      log: parts.log,
    },
    {
      version: packageVersion(),
      tokens,
      allowedHosts,
      dashboard: fileURLToPath(new URL('../dashboards/dist', import.meta.url)),
    },
  );
  await api.register(sceneRoutes, { scenes: scenes.store });
  hub.attach(api.server);
  const url = await listen(api, { host: config.host, port: config.port, tokens });
  await writeOwner(config.data, url);
  const trainings = new TrainingImport(parts.store, join(config.data, 'training'));
  let trainingsFailed = false;
  const trainingsUnreadable = (thrown: unknown): void => {
    if (!trainingsFailed) logFailure(parts.log, errorFromUnknown(thrown));
    trainingsFailed = true;
  };
  const loadTimer = setInterval(() => {
    telemetry.viewers(hub.viewers());
    telemetry.pages(hub.traffic());
    void trainings.sync().then(() => (trainingsFailed = false), trainingsUnreadable);
    telemetry.queueDepth(parts.policies.queueDepth);
    hub.loadUpdated(telemetry.load());
    hub.workersUpdated(workers());
  }, LOAD_EVERY_MS);

  return {
    url,
    notice: (level, text) => hub.notice(level, text),
    sceneReady: (task, hash) => hub.sceneReady(task, hash),
    episodeScene: (episode, hash) => hub.episodeScene(episode, hash),
    handsChanged: () => desk.changed(),
    workersChanged: () => {
      fleet.hub.broadcast(watch(hub.posesHz(), hub.contacts()));
      hub.workersUpdated(workers());
    },
    modelChanged: (view) => hub.modelUpdated(view),
    episodeStarted: ({ key, run, episode, plan }) =>
      hub.episodeStarted({
        ...{ key, run, episode, task: plan.task, start: plan.start, horizon: plan.horizon },
        actionSize: parts.engine.specOf(plan.task).actionSize,
        scene: scenes.of(plan.task),
      }),
    stepped: ({ key, episode, recorder }, row, decision) => {
      hub.step(key, {
        ...{ episode, step: row.step, reward: row.reward, return: recorder.return },
        flags: recorder.succeeded ? row.flags | STEP_FLAGS.success : row.flags,
        selection: decision?.selected ?? recorder.lastSelected,
        similarity: decision?.similarity ?? recorder.lastSimilarity,
      });
      if (row.poses !== undefined) hub.poses(key, row.poses, row.contacts);
    },
    runUpdated: (summary) => hub.runUpdated(summary),
    episodeEnded: (report, record) => {
      const scored = scoredEpisodeOf(record);
      hub.episodeEnded({
        ...{ key: report.environmentKey, run: record.run, episode: report.episode, task: record.task },
        ...{ start: record.start, outcome: record.outcome, length: record.length, return: record.return },
        successAtEnd: scored.successAtEnd ?? false,
        firstSuccessStep: scored.firstSuccessStep,
        message: record.outcome === 'error' ? record.errorMessage : '',
        ...(isAssisted(scored) ? { assistedSteps: scored.assistedSteps } : {}),
      });
    },
    close: async () => {
      clearInterval(loadTimer);
      await trainings.idle();
      desk.close();
      await hub.close();
      await api.close();
    },
  };
}

function watch(posesHz: number, contacts: boolean): Extract<ServerMessage, { type: 'watch' }> {
  return { type: 'watch', posesHz, ...(contacts ? { contacts } : {}) };
}

/** A worker's token opens no page. */
function pageTokens({ viewer, operator, admin }: AccessTokens): PageTokens {
  return {
    ...(viewer === undefined ? {} : { viewer }),
    ...(operator === undefined ? {} : { operator }),
    ...(admin === undefined ? {} : { admin }),
  };
}

async function controlled(runs: RunService, run: string, action: RunAction): Promise<Result<void, WireError>> {
  try {
    await runControl(runs).control(run, action);
    return success(undefined);
  } catch (thrown) {
    return failure(errorFromUnknown(thrown).toWire());
  }
}

function runControl(runs: RunService): RunControl {
  const summaryOf = (run: string) => {
    const summary = runs.handle(run)?.summary();
    if (summary === undefined) throw new L2mError('L2M_RUN_UNKNOWN', JSON.stringify(run));
    return summary;
  };
  return {
    start: async (body) => {
      const handle = await runs.start(
        {
          kind: 'evaluate',
          tasks: expandTasks(body.tasks),
          ...{ episodes: body.episodes, protocol: body.protocol, seed: body.seed },
          policy: policyOf(body),
          firstStart: 0,
          horizon: null,
        },
        body.resume === undefined ? {} : { resume: body.resume },
      );
      return handle.summary();
    },
    control: (run, action) => {
      runs[action](run);
      return Promise.resolve(summaryOf(run));
    },
    list: () => runs.summaries(),
    summary: (run) => runs.handle(run)?.summary(),
  };
}

function policyOf(body: EvaluationBody): PolicyChoice {
  switch (body.policy) {
    case 'checkpoint':
      return { kind: 'checkpoint', folder: body.checkpoint ?? defaultCheckpoint() };
    case 'expert':
      return { kind: 'expert', noises: [0] };
    case 'random':
    case 'zero':
      return { kind: body.policy };
  }
}

function readiness({ fleet, policies, config }: FrontParts): ReadinessReport {
  const reasons: string[] = [];
  if (fleet.readyCount === 0) reasons.push('no simulator worker is connected');
  if (!policies.ready) reasons.push('the agent host is starting');
  if (reasons.length > 0) return { state: 'unready', reasons };
  if (fleet.readyCount < config.workers) reasons.push(`${fleet.readyCount} of ${config.workers} workers are connected`);
  return { state: reasons.length === 0 ? 'ready' : 'degraded', reasons };
}

/** Of these, recordings are still to come. */
export function liveRuns(runs: Pick<RunService, 'summaries'> | undefined): ReadonlySet<string> {
  const live = runs?.summaries().filter(({ state }) => !FINAL_STATES.includes(state)) ?? [];
  return new Set(live.map(({ run }) => run));
}
