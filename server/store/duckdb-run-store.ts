import { DOUBLE, INTEGER, VARCHAR, type DuckDBConnection } from '@duckdb/node-api';
import type { Static, TSchema } from 'typebox';
import { Compile } from 'typebox/compile';
import { L2mError, newCorrelationId, unknownNameError } from '../errors.ts';
import { CommitQueue } from './commit-queue.ts';
import { Database, type Row } from './database.ts';
import { appendEpisodes, assertEpisode } from './episode-rows.ts';
import { exportRun } from './export-run.ts';
import * as sql from './queries.ts';
import {
  EpisodeRowSchema,
  FINAL_STATES,
  MetricPointSchema,
  RunHeadSchema,
  ScoredEpisodeSchema,
  StoredRunSchema,
  type EpisodeRecord,
  type EpisodeRow,
  type MetricPoint,
  type NewRun,
  type PlannedTask,
  type RunChange,
  type RunHead,
  type ScoredEpisode,
  type StoredRun,
} from './records.ts';
import type { EpisodeQuery, ExportFormat, MetricsQuery, Page, RunsQuery, RunStore } from './run-store.ts';

export interface RunStoreOptions {
  /** Null keeps everything in memory: for tests and for runs that are not to be kept. */
  readonly directory: string | null;
  readonly now?: () => Date;
  /** Told how long each commit of episodes took, in seconds. */
  readonly onCommit?: (seconds: number, episodes: number) => void;
}

const readRunHead = rowReader(RunHeadSchema);
const readStoredRun = rowReader(StoredRunSchema);
const readEpisodeRow = rowReader(EpisodeRowSchema);
const readScoredEpisode = rowReader(ScoredEpisodeSchema);
const readMetricPoint = rowReader(MetricPointSchema);

/** Handing rows over takes the event loop about 0.1 ms each. */
const MAX_BATCH = 64;
const MAX_WAITING = 8192;
const MAX_PAGE = 1000;

/** @throws L2M_STORE_BUSY, L2M_STORE_UNWRITABLE, L2M_STORE_UNREADABLE */
export async function openRunStore(options: RunStoreOptions): Promise<RunStore> {
  const database = await Database.open(options.directory);
  try {
    await database.write((connection) => connection.run(sql.RECOVER_RUNS));
  } catch (error) {
    await database.close();
    throw error;
  }
  return new DuckDbRunStore(database, options);
}

class DuckDbRunStore implements RunStore {
  readonly #database: Database;
  readonly #now: () => Date;
  readonly #episodes: CommitQueue<EpisodeRecord>;

  constructor(database: Database, options: RunStoreOptions) {
    this.#database = database;
    this.#now = options.now ?? (() => new Date());
    this.#episodes = new CommitQueue({
      maxBatch: MAX_BATCH,
      maxWaiting: MAX_WAITING,
      commit: async (records) => {
        const begun = performance.now();
        await database.write((connection) => appendEpisodes(connection, records));
        options.onCommit?.((performance.now() - begun) / 1000, records.length);
      },
    });
  }

  async createRun(run: NewRun): Promise<void> {
    const values = {
      run: run.run,
      kind: run.kind,
      state: run.state,
      policy: run.policy,
      checkpointHash: run.checkpointHash,
      protocol: run.protocol,
      seed: run.seed,
      tasks: JSON.stringify(run.tasks),
      plannedEpisodes: plannedEpisodes(run.tasks),
      configuration: JSON.stringify(run.configuration),
      provenance: JSON.stringify(run.provenance),
      startedAt: run.startedAt ?? this.#now().toISOString(),
    };
    await this.#database.write(async (connection) => {
      const present = await connection.runAndReadAll('SELECT 1 FROM runs WHERE run = $run', { run: run.run });
      if (present.currentRowCount > 0) throw new L2mError('L2M_RUN_STATE', `${run.run} exists already`);
      await connection.run(sql.INSERT_RUN, values);
    });
  }

  async updateRun(run: string, change: RunChange): Promise<void> {
    const { state, message, redoneEpisodes, tasks } = change;
    const final = state !== undefined && FINAL_STATES.includes(state);
    const values = {
      run,
      state: state ?? null,
      message: message ?? null,
      redoneEpisodes: redoneEpisodes ?? null,
      tasks: tasks === undefined ? null : JSON.stringify(tasks),
      plannedEpisodes: tasks === undefined ? null : plannedEpisodes(tasks),
      finishedAt: final ? this.#now().toISOString() : null,
    };
    const types = {
      state: VARCHAR,
      message: VARCHAR,
      redoneEpisodes: INTEGER,
      tasks: VARCHAR,
      plannedEpisodes: INTEGER,
      finishedAt: VARCHAR,
    };
    const changed = await this.#database.write(async (connection) => {
      const result = await connection.run(sql.UPDATE_RUN, values, types);
      return result.rowsChanged;
    });
    if (changed === 0) throw await this.#unknownRun(run);
  }

  async recordEpisode(episode: EpisodeRecord): Promise<void> {
    try {
      assertEpisode(episode);
    } catch (error) {
      throw new L2mError('L2M_INTERNAL', newCorrelationId(), { cause: error });
    }
    await this.#episodes.add(episode);
  }

  async recordMetrics(run: string, points: readonly MetricPoint[]): Promise<void> {
    await this.#database.write((connection) => insertMetrics(connection, run, points));
  }

  async replaceMetrics(run: string, points: readonly MetricPoint[]): Promise<void> {
    await this.#database.write(async (connection) => {
      await connection.run('DELETE FROM metrics WHERE run = $run', { run });
      await insertMetrics(connection, run, points);
    });
  }

  async flush(): Promise<void> {
    await this.#episodes.flush();
  }

  async listRuns(query: RunsQuery): Promise<{ total: number; runs: RunHead[] }> {
    const filter = { text: query.text ?? null, kind: query.kind ?? null, state: query.state ?? null };
    const statement = sql.listRunsBy(query.sort ?? 'started', query.order ?? 'descending');
    const rows = await this.#database.read(statement, { ...filter, ...bounded(query) });
    const [count] = await this.#database.read(sql.COUNT_RUNS, filter);
    return { total: Number(count?.['total']), runs: rows.map(readRunHead) };
  }

  async getRun(run: string): Promise<StoredRun> {
    const [row] = await this.#database.read(sql.GET_RUN, { run });
    if (row === undefined) throw await this.#unknownRun(run);
    const parsed: Record<string, unknown> = { ...row };
    for (const column of ['tasks', 'configuration', 'provenance']) parsed[column] = JSON.parse(textOf(row, column));
    return readStoredRun(parsed);
  }

  async listEpisodes(run: string, query: EpisodeQuery): Promise<{ total: number; episodes: EpisodeRow[] }> {
    await this.#assertRun(run);
    const filter = { run, task: query.task ?? null, outcome: query.outcome ?? null };
    const [count] = await this.#database.read(sql.COUNT_EPISODES, filter);
    const rows = await this.#database.read(sql.LIST_EPISODES, { ...filter, ...bounded(query) });
    return { total: Number(count?.['total']), episodes: rows.map(readEpisodeRow) };
  }

  async latestEpisodes(run: string): Promise<ScoredEpisode[]> {
    await this.#assertRun(run);
    const rows = await this.#database.read(sql.LATEST_EPISODES, { run });
    return rows.map(readScoredEpisode);
  }

  async metrics(run: string, { name, most }: MetricsQuery = {}): Promise<MetricPoint[]> {
    await this.#assertRun(run);
    const all =
      'SELECT step, name, value FROM metrics WHERE run = $run AND ($name IS NULL OR name = $name) ORDER BY name, step';
    const values = { run, name: name ?? null };
    const rows = await (most === undefined
      ? this.#database.read(all, values)
      : this.#database.read(sql.THINNED_METRICS, { ...values, most }));
    return rows.map(readMetricPoint);
  }

  async exportRun(run: string, path: string, format: ExportFormat): Promise<void> {
    await this.#episodes.settled();
    await exportRun(this, this.#database, { run: await this.getRun(run), path, format });
  }

  async close(): Promise<void> {
    await this.#episodes.settled();
    await this.#database.close();
  }

  async #assertRun(run: string): Promise<void> {
    const rows = await this.#database.read('SELECT 1 AS found FROM runs WHERE run = $run', { run });
    if (rows.length === 0) throw await this.#unknownRun(run);
  }

  async #unknownRun(run: string): Promise<L2mError> {
    const rows = await this.#database.read('SELECT run FROM runs ORDER BY started_at DESC LIMIT 500');
    return unknownNameError(
      'L2M_RUN_UNKNOWN',
      run,
      rows.map((row) => textOf(row, 'run')),
    );
  }
}

function plannedEpisodes(tasks: readonly PlannedTask[]): number {
  return tasks.reduce((sum, task) => sum + task.episodes, 0);
}

function bounded({ limit, offset }: Page): { limit: number; offset: number } {
  return { limit: Math.min(limit, MAX_PAGE), offset };
}

function textOf(row: Row, column: string): string {
  const value = row[column];
  if (typeof value !== 'string') throw new L2mError('L2M_STORE_UNREADABLE', `column ${column} holds no text`);
  return value;
}

/** Checks a row against the schema that also types it: a file changed by other hands fails here, not further in. */
function rowReader<Schema extends TSchema>(schema: Schema): (row: Row | Record<string, unknown>) => Static<Schema> {
  const validator = Compile(schema);
  return (row) => {
    if (validator.Check(row)) return row;
    const [first] = validator.Errors(row);
    throw new L2mError('L2M_STORE_UNREADABLE', `a stored row does not fit: ${first?.instancePath} ${first?.message}`);
  };
}

async function insertMetrics(connection: DuckDBConnection, run: string, points: readonly MetricPoint[]): Promise<void> {
  const insert = await connection.prepare('INSERT INTO metrics VALUES ($run, $step, $name, $value)');
  try {
    for (const { step, name, value } of points) {
      insert.bind({ run, step, name, value }, { run: VARCHAR, step: INTEGER, name: VARCHAR, value: DOUBLE });
      await insert.run();
    }
  } finally {
    insert.destroySync();
  }
}
