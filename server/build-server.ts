import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import type { TaskSpec } from '../protocol/task.ts';
import type { ServerConfig } from './config-schema.ts';
import { errorFromUnknown } from './errors.ts';
import { PolicyProvider } from './inference/policy-provider.ts';
import { RolloutEngine } from './rollouts/engine.ts';
import { RunService } from './rollouts/run-service.ts';
import { WorkerRates } from './simulators/worker-rates.ts';
import { WorkerFleet } from './simulators/worker-fleet.ts';
import { openRunStore } from './store/duckdb-run-store.ts';
import type { RunStore } from './store/run-store.ts';
import { currentProvenance } from './provenance.ts';
import { openFront, type Front } from './front.ts';
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
  readonly fleet: WorkerFleet;
  readonly policies: PolicyProvider;
  readonly telemetry: Telemetry;
  describe(tasks: readonly string[]): Promise<TaskSpec[]>;
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
  const parts: { engine?: RolloutEngine; runs?: RunService; front?: Front } = {};
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
      scene: (task, scene) => parts.front?.scene(task, scene),
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

  const engine = new RolloutEngine(fleet.hub, fleet.catalog.specs, {
    started: (view) => parts.front?.episodeStarted(view),
    stepped: (view, row, decision) => parts.front?.stepped(view, row, decision),
    ended: () => undefined,
    timed: (timing) => telemetry.ticked(timing),
  });
  parts.engine = engine;

  const runs = new RunService({
    store,
    engine,
    describe: async (tasks) => {
      const specs = await fleet.catalog.describe(tasks);
      parts.front?.wantScenes(tasks);
      return specs;
    },
    policyFor: (request) => policies.policyFor(request),
    provenance: () => currentProvenance(fleet.versions(), policies.backend),
    maxAttempts: config.maxAttempts,
    events: {
      updated: (summary) => parts.front?.runUpdated(summary),
      episode: (report, record) => {
        metrics.episodes.inc({ outcome: record.outcome });
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
      fleet,
      policies,
      telemetry,
      log: log.log,
      workerRates,
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
    fleet,
    policies,
    telemetry,
    describe: (tasks) => fleet.catalog.describe(tasks),
    close: closeAll,
  };
}
