import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { RunSummary } from '../../../../protocol/dashboard-views.ts';
import type { TaskSpec } from '../../../../protocol/task.ts';
import { L2mError, unknownNameError } from '../../../../server/errors.ts';
import { buildHttp, type Api } from '../../../../server/http/build-http.ts';
import type { HttpDependencies, HttpOptions, ReadinessReport, RunControl } from '../../../../server/http/contracts.ts';
import type { EvaluationBody, RunAction } from '../../../../server/http/schemas.ts';
import { SceneBook } from '../../../../server/live/scene-book.ts';
import { SceneStore } from '../../../../server/live/scenes.ts';
import { DataCatalog } from '../../../../server/data/data-catalog.ts';
import { PerformanceMatrices } from '../../../../server/store/performance-matrices.ts';
import { RecordingLibrary } from '../../../../server/recordings/recording-library.ts';
import { openRunStore } from '../../../../server/store/duckdb-run-store.ts';
import { RunScores } from '../../../../server/store/run-scores.ts';
import type { RunStore } from '../../../../server/store/run-store.ts';
import { openLog, type OpenLog } from '../../../../server/telemetry/log.ts';
import { Telemetry } from '../../../../server/telemetry/telemetry.ts';
import { newRun } from '../../../contract/server/store/builders.ts';

/** Runs that begin and change state as told, without simulators; what they are is in the real store. */
class ScriptedRuns implements RunControl {
  readonly #live = new Map<string, RunSummary>();
  readonly #store: RunStore;
  started: EvaluationBody | undefined;
  failWith: Error | undefined;

  constructor(store: RunStore) {
    this.#store = store;
  }

  async start(request: EvaluationBody): Promise<RunSummary> {
    if (this.failWith !== undefined) throw this.failWith;
    this.started = request;
    const run = newRun('run-live', { seed: request.seed, protocol: request.protocol });
    await this.#store.createRun(run);
    const scores = new RunScores(run.tasks).scores();
    const summary: RunSummary = {
      run: run.run,
      kind: 'evaluate',
      state: 'running',
      policy: run.policy,
      protocol: request.protocol,
      seed: request.seed,
      plannedEpisodes: 6,
      finishedEpisodes: 0,
      errorEpisodes: 0,
      redoneEpisodes: 2,
      steps: 10,
      stepsPerSecond: 5.5,
      secondsLeft: null,
      startedAt: new Date().toISOString(),
      tasks: scores,
      meanSuccessAnyTime: null,
      meanSuccessAtEnd: null,
      message: '',
    };
    this.#live.set(run.run, summary);
    return summary;
  }

  control(run: string, action: RunAction): Promise<RunSummary> {
    const summary = this.#live.get(run);
    if (summary === undefined) return Promise.reject(unknownNameError('L2M_RUN_UNKNOWN', run, [...this.#live.keys()]));
    if (action === 'resume' && summary.state !== 'paused') {
      return Promise.reject(new L2mError('L2M_RUN_STATE', `${run} is ${summary.state}`));
    }
    const state = ({ pause: 'paused', resume: 'running', stop: 'stopped' } as const)[action];
    const changed = { ...summary, state };
    this.#live.set(run, changed);
    return Promise.resolve(changed);
  }

  list(): readonly RunSummary[] {
    return [...this.#live.values()];
  }

  summary(run: string): RunSummary | undefined {
    return this.#live.get(run);
  }
}

export interface TestServer {
  readonly api: Api;
  readonly store: RunStore;
  readonly recordings: { readonly library: RecordingLibrary; readonly scenes: SceneBook };
  readonly runs: ScriptedRuns;
  readonly telemetry: Telemetry;
  readonly directory: string;
  readiness: ReadinessReport;
  close(): Promise<void>;
}

const reach: TaskSpec = {
  task: 'metaworld/reach-v3',
  observation: [{ name: 'state', size: 39 }],
  actionSize: 4,
  controlTimestep: 0.0125,
  reportsSuccess: true,
  hasExpert: true,
};

export async function openTestServer(options: Partial<HttpOptions> = {}): Promise<TestServer> {
  const directory = await mkdtemp(join(tmpdir(), 'l2m-http-'));
  const store = await openRunStore({ directory: null });
  const runs = new ScriptedRuns(store);
  const telemetry = new Telemetry();
  const opened: OpenLog = openLog({
    file: join(directory, 'server.log'),
    fileLevel: 'info',
    terminalLevel: 'silent',
    pretty: false,
  });
  const state: { readiness: ReadinessReport } = { readiness: { state: 'ready', reasons: [] } };
  const library = await RecordingLibrary.open(join(directory, 'recordings'), 1e9);
  const scenes = new SceneBook(new SceneStore(join(directory, 'scenes')), () => false);
  const dependencies: HttpDependencies = {
    store,
    recordings: {
      ...{ library, scenes },
      rebuilder: { rebuild: (run, episode) => library.read(run, episode).then((bytes) => bytes.byteLength) },
    },
    data: new DataCatalog(join(directory, 'trajectories')),
    matrices: new PerformanceMatrices(join(directory, 'continual'), (path) => opened.log.warn(path)),
    runs,
    readiness: () => state.readiness,
    tasks: {
      hosted: () => [reach.task, 'metaworld/invented-v3'],
      spec: (task) => (task === reach.task ? reach : undefined),
    },
    workers: () => [
      { worker: 'w1', state: 'ready', processId: 12, environments: 4, stepsPerSecond: 100, restarts: 0, message: '' },
    ],
    metrics: telemetry.metrics,
    log: opened.log,
  };
  const api = await buildHttp(dependencies, {
    version: '0.1.0',
    tokens: {},
    allowedHosts: [],
    dashboard: join(directory, 'dist'),
    ...options,
  });
  return {
    ...{ api, store, runs, telemetry, directory, recordings: { library, scenes } },
    get readiness() {
      return state.readiness;
    },
    set readiness(report) {
      state.readiness = report;
    },
    close: async () => {
      await api.close();
      await store.close();
      opened.close();
      await rm(directory, { recursive: true });
    },
  };
}
