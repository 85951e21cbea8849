import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import type { ModelView } from '../protocol/dashboard-views.ts';
import type { TaskSpec } from '../protocol/task.ts';
import type { ServerConfig } from './config-schema.ts';
import { errorFromUnknown } from './errors.ts';
import { SceneBook } from './live/scene-book.ts';
import { SceneStore } from './live/scenes.ts';
import { Hands } from './control/hands.ts';
import { EpisodeRecordings } from './recordings/episode-recordings.ts';
import { RecordingLibrary } from './recordings/recording-library.ts';
import { PolicyProvider } from './inference/policy-provider.ts';
import { policySource } from './inference/policy-source.ts';
import { RolloutEngine } from './rollouts/engine.ts';
import type { StepObserver } from './rollouts/step-observer.ts';
import { PoolUsage } from './rollouts/pool-usage.ts';
import { RunService } from './rollouts/run-service.ts';
import { WorkerRates } from './simulators/worker-rates.ts';
import { WorkerFleet } from './simulators/worker-fleet.ts';
import { FINAL_STATES } from './store/records.ts';
import { openRunStore } from './store/duckdb-run-store.ts';
import type { RunStore } from './store/run-store.ts';
import { currentProvenance } from './provenance.ts';
import { liveRuns, openFront, type Front } from './front.ts';
import { openLog } from './telemetry/log.ts';
import { createMetrics } from './telemetry/metrics.ts';
import { Telemetry } from './telemetry/telemetry.ts';

export interface BuildOptions {
  /** Whether to open the page, the HTTP API and the WebSocket. */
  readonly serve: boolean;
  /** Where a person is told what goes on. */
  readonly note: (text: string) => void;
  /** Further arguments of worker processes, for fault tests. */
  readonly workerArguments?: (worker: string, launch: number) => readonly string[];
}

/** A running server: simulators, policy, store and, if wanted, the page. */
export interface LiveServer {
  readonly config: ServerConfig;
  readonly url: string | undefined;
  /** Where simulator workers connect. */
  readonly endpoint: string;
  readonly runs: RunService;
  readonly store: RunStore;
  readonly recordings: RecordingLibrary;
  /** Resolves when every episode that has finished is recorded. */
  readonly recordingsFlushed: () => Promise<void>;
  readonly fleet: WorkerFleet;
  readonly policies: PolicyProvider;
  readonly telemetry: Telemetry;
  describe(tasks: readonly string[]): Promise<TaskSpec[]>;
  /** Into the log and onto the page. */
  notice(level: 'info' | 'warning' | 'error', text: string): void;
  /** Which weights act, for the page: a training shows its own here. */
  showModel(view: ModelView): void;
  close(): Promise<void>;
}

/** The composition root: everything is made here and nowhere else. */
export async function buildServer(config: ServerConfig, options: BuildOptions): Promise<LiveServer> {
  const closers: (() => Promise<void> | void)[] = [];
  const closeAll = async () => {
    for (const close of closers.splice(0).reverse()) await close();
  };
  try {
    return await compose(config, options, closers, closeAll);
  } catch (cause) {
    await closeAll();
    throw errorFromUnknown(cause);
  }
}

async function compose(
  ...[config, options, closers, closeAll]: [
    ServerConfig,
    BuildOptions,
    (() => Promise<void> | void)[],
    () => Promise<void>,
  ]
): Promise<LiveServer> {
  const serverId = randomUUID();
  const telemetry = new Telemetry(createMetrics({ processFigures: true }));
  const { metrics } = telemetry;
  const workerRates = new WorkerRates();
  const store = await openRunStore({
    directory: config.data,
    onCommit: (seconds) => metrics.commitSeconds.observe(seconds),
  });
  closers.push(() => store.close());
  const log = openLog({
    file: join(config.data, 'server.log'),
    fileLevel: config.logLevel,
    terminalLevel: 'silent',
    pretty: false,
  });
  closers.push(() => log.close());
  const parts: {
    engine?: RolloutEngine;
    runs?: RunService;
    front?: Front;
    scenes?: SceneBook;
    recordings?: EpisodeRecordings;
  } = {};
  const note = (level: 'info' | 'warning' | 'error', text: string) => {
    log.log[level === 'warning' ? 'warn' : level](text);
    parts.front?.notice(level, text);
    if (level !== 'info') options.note(`${level}: ${text}`);
  };

  const fleet = await WorkerFleet.open(
    {
      rows: (rows, timing, worker) => {
        workerRates.add(worker, rows.length);
        parts.engine?.onRows(rows, timing);
      },
      fault: (fault) => parts.engine?.onFault(fault),
      scene: (task, scene, episode) => {
        if (episode !== undefined) parts.recordings?.drawn(episode, scene);
        const stored = episode === undefined ? parts.scenes?.take(task, scene) : parts.scenes?.store.hold(scene);
        void stored?.then((outcome) => {
          if (!outcome.ok) note('warning', outcome.error.message);
          else if (episode === undefined) parts.front?.sceneReady(task, scene.hash);
          else parts.front?.episodeScene(episode, scene.hash);
        });
      },
      late: (count) => metrics.lateMessages.inc(count),
      came: () => parts.engine?.fill(),
      lost: (worker, reason) => {
        note('warning', `${worker} was lost: ${reason}`);
        metrics.workerRestarts.inc();
        parts.engine?.onWorkerLost(worker, reason);
      },
      changed: () => parts.front?.workersChanged(),
      exhausted: (error) => {
        note('error', error.message);
        parts.runs?.fail(error);
      },
    },
    { config, serverId, workerArguments: options.workerArguments ?? (() => []) },
  );
  closers.push(() => fleet.close());
  const scenes = new SceneBook(new SceneStore(join(config.data, 'scenes')), (task) =>
    fleet.ask(task, { type: 'want-scene', task }),
  );
  parts.scenes = scenes;
  const library = await RecordingLibrary.open(join(config.data, 'recordings'), config.recordLimitMb * 1_000_000);
  const recordings = new EpisodeRecordings({
    mode: config.record,
    library,
    specOf: (task): TaskSpec => engine.specOf(task),
    sceneOf: (task) => scenes.of(task),
    policyOf: (run) => parts.runs?.handle(run)?.summary().policy ?? '',
    liveRuns: () => liveRuns(parts.runs),
    notice: (level, text) => note(level, text),
  });
  parts.recordings = recordings;
  closers.push(() => recordings.flush());

  const poolUsage = new PoolUsage();
  const policies = new PolicyProvider(config, {
    expected: () => parts.engine?.busy ?? 1,
    batched: (figures) => {
      telemetry.decided({ batchSize: figures.size, decideMs: figures.handleMs, queueMs: figures.waitMs });
      telemetry.queueDepth(figures.queueDepth);
    },
    note,
    modelChanged: (view) => parts.front?.modelChanged(view),
    exhausted: (error) => parts.runs?.fail(error),
  });
  closers.push(() => policies.close());

  const hands = new Hands({
    specOf: (task) => engine.specOf(task),
    proceed: (episode) => engine.proceed(episode),
    changed: () => parts.front?.handsChanged(),
  });
  closers.push(() => hands.close());
  const observer: StepObserver = {
    started: (view) => {
      recordings.started(view);
      parts.front?.episodeStarted(view);
    },
    stepped: (view, row, decision) => {
      recordings.stepped(view, row);
      parts.front?.stepped(view, row, decision);
    },
    handled: (view, step, handled) => recordings.handled(view, step, handled),
    ended: (view) => {
      recordings.ended(view);
      poolUsage.ended(view);
    },
    wantsPoses: (plan) => recordings.wantsPoses(plan),
    timed: (timing) => telemetry.ticked(timing),
  };
  const engine: RolloutEngine = new RolloutEngine(fleet.hub, fleet.catalog.specs, observer, hands);
  parts.engine = engine;

  const runs = new RunService({
    store,
    engine,
    describe: async (tasks) => {
      const specs = await fleet.catalog.describe(tasks);
      // A third of a second of a worker for each task: without a page, geometry waits until somebody asks for it.
      if (options.serve) scenes.want(tasks);
      return specs;
    },
    policyFor: (request) => policies.policyFor(request),
    provenance: () => currentProvenance(fleet.versions(), policies.backend),
    maxAttempts: config.maxAttempts,
    events: {
      updated: (summary) => {
        if (FINAL_STATES.includes(summary.state)) {
          recordings.runOver(summary.run);
          hands.runOver(summary.run);
        }
        parts.front?.runUpdated(summary);
      },
      episode: (report, record) => {
        metrics.episodes.inc({ outcome: record.outcome });
        recordings.finished(report, record);
        parts.front?.episodeEnded(report, record);
      },
      notice: note,
    },
  });
  parts.runs = runs;

  if (options.serve) {
    const front = await openFront({
      config,
      serverId,
      store,
      runs,
      engine,
      hands,
      fleet,
      policies,
      telemetry,
      log: log.log,
      workerRates,
      scenes,
      policy: policySource(engine, poolUsage),
      recordings: library,
    });
    parts.front = front;
    closers.push(() => front.close());
  }
  return {
    config,
    url: parts.front?.url,
    endpoint: fleet.hub.endpoint,
    runs,
    store,
    recordings: library,
    recordingsFlushed: () => recordings.flush(),
    fleet,
    policies,
    telemetry,
    describe: (tasks) => fleet.catalog.describe(tasks),
    notice: note,
    showModel: (view) => parts.front?.modelChanged(view),
    close: closeAll,
  };
}
