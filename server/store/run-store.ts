import type { RunState } from '../../protocol/dashboard-views.ts';
import type { RunSort } from './queries.ts';
import type {
  EpisodeRecord,
  EpisodeRow,
  MetricPoint,
  NewRun,
  Outcome,
  RunChange,
  RunHead,
  RunKind,
  ScoredEpisode,
  StoredRun,
} from './records.ts';

export interface Page {
  /** At most 1000. */
  readonly limit: number;
  readonly offset: number;
}

export interface EpisodeQuery extends Page {
  readonly task?: string;
  readonly outcome?: Outcome;
}

export interface RunsQuery extends Page {
  /** In any of name, policy, kind, state, protocol and tasks; case does not count. */
  readonly text?: string;
  readonly kind?: RunKind;
  readonly state?: RunState;
  /** Default `started`. Runs without the value come last in either order. */
  readonly sort?: RunSort;
  /** Default `descending`. */
  readonly order?: 'ascending' | 'descending';
}

export interface MetricsQuery {
  readonly name?: string;
  /** Thins every curve to about this many points. */
  readonly most?: number;
}

export type ExportFormat = 'json' | 'csv' | 'parquet';

/** Where runs, their episodes and training curves are kept. Failures are L2mErrors. */
export interface RunStore {
  /** @throws L2M_RUN_STATE if a run of that name exists */
  createRun(run: NewRun): Promise<void>;
  /** @throws L2M_RUN_UNKNOWN */
  updateRun(run: string, change: RunChange): Promise<void>;
  /**
   * Resolves when the episode survives a SIGKILL of this process; episodes that end together share one commit.
   * @throws L2M_STORE_UNWRITABLE full disk, lost directory, or too many episodes waiting for a disk that does not follow
   */
  recordEpisode(episode: EpisodeRecord): Promise<void>;
  recordMetrics(run: string, points: readonly MetricPoint[]): Promise<void>;
  /** In one transaction: readers see the old points or the new ones. */
  replaceMetrics(run: string, points: readonly MetricPoint[]): Promise<void>;
  /** Waits for everything handed over before. @throws the first failure since the last flush, so that none goes unseen */
  flush(): Promise<void>;

  /** Newest first unless asked otherwise; `total` counts what matches. */
  listRuns(query: RunsQuery): Promise<{ total: number; runs: RunHead[] }>;
  /** @throws L2M_RUN_UNKNOWN with the nearest name */
  getRun(run: string): Promise<StoredRun>;
  /** All attempts, by task, start and attempt. */
  listEpisodes(run: string, query: EpisodeQuery): Promise<{ total: number; episodes: EpisodeRow[] }>;
  /** The latest attempt at every start state: what is scored, and what `--resume` need not do again. */
  latestEpisodes(run: string): Promise<ScoredEpisode[]>;
  metrics(run: string, query?: MetricsQuery): Promise<MetricPoint[]>;

  /**
   * Writes the run to a file, replacing it at once when complete. json: `{run, scores, episodes}`; csv and parquet: one row
   * per attempt, parquet with success and selected modulator of every step.
   * @throws L2M_STORE_UNWRITABLE
   */
  exportRun(run: string, path: string, format: ExportFormat): Promise<void>;
  /** Waits for what was handed over and gives the data directory back. Calling it again does nothing. */
  close(): Promise<void>;
}
