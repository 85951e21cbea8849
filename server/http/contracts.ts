import type { Registry } from 'prom-client';
import type { RunSummary, WorkerView } from '../../protocol/dashboard-views.ts';
import type { TaskId, TaskSpec } from '../../protocol/task.ts';
import type { SceneBook } from '../live/scene-book.ts';
import type { PoseRebuilder } from '../recordings/pose-rebuilder.ts';
import type { RecordingLibrary } from '../recordings/recording-library.ts';
import type { DataCatalog } from '../data/data-catalog.ts';
import type { PerformanceMatrices } from '../store/performance-matrices.ts';
import type { RunStore } from '../store/run-store.ts';
import type { Log } from '../telemetry/log.ts';
import type { AccessTokens } from './access.ts';
import type { EvaluationBody, RunAction } from './schemas.ts';

/** The runs of this life of the server. Failures are L2mErrors and reach the caller as they are. */
export interface RunControl {
  /** @returns the run as it begins; it goes on by itself */
  start(request: EvaluationBody): Promise<RunSummary>;
  /** @throws L2M_RUN_UNKNOWN, L2M_RUN_STATE */
  control(run: string, action: RunAction): Promise<RunSummary>;
  list(): readonly RunSummary[];
  /** Undefined for runs of earlier lives, which only the store knows. */
  summary(run: string): RunSummary | undefined;
}

export interface ReadinessReport {
  /** `degraded` still works: fewer workers than planned, or a slower backend. */
  readonly state: 'ready' | 'degraded' | 'unready';
  /** Why it is not `ready`, for people. */
  readonly reasons: readonly string[];
}

export interface TaskCatalog {
  /** Tasks that connected workers host. */
  hosted(): readonly TaskId[];
  /** What is known so far; a task is described when it is first used. */
  spec(task: TaskId): TaskSpec | undefined;
}

/** What the HTTP API works on; made by the composition root. */
export interface HttpDependencies {
  readonly store: RunStore;
  readonly recordings: {
    readonly library: RecordingLibrary;
    readonly scenes: Pick<SceneBook, 'of' | 'ensure' | 'store'>;
    readonly rebuilder: Pick<PoseRebuilder, 'rebuild'>;
  };
  /** Of continual trainings under the data directory. */
  readonly matrices: Pick<PerformanceMatrices, 'list'>;
  /** Trajectories under the data directory. */
  readonly data: Pick<DataCatalog, 'list'>;
  readonly runs: RunControl;
  readonly readiness: () => ReadinessReport;
  readonly tasks: TaskCatalog;
  readonly workers: () => readonly WorkerView[];
  readonly metrics: { readonly registry: Registry };
  readonly log: Log;
}

export interface HttpOptions {
  readonly version: string;
  readonly tokens: AccessTokens;
  /** Host names, besides localhost and plain addresses, under which the page is served. */
  readonly allowedHosts: readonly string[];
  /** The built page, `dashboards/dist`; where it is missing, a page says how to build it. */
  readonly dashboard: string;
}
