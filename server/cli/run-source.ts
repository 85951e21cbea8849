import { writeFile } from 'node:fs/promises';
import type { TaskScore } from '../../protocol/dashboard-views.ts';
import { L2mError } from '../errors.ts';
import { openRunStore } from '../store/duckdb-run-store.ts';
import { readOwner } from '../store/owner-file.ts';
import type { RunHead, StoredRun } from '../store/records.ts';
import { taskScores } from '../store/run-scores.ts';
import type { ExportFormat } from '../store/run-store.ts';

/** Where a command reads runs from: the data directory, or the server that has it open. */
export interface RunSource {
  list(limit: number): Promise<{ total: number; runs: RunHead[] }>;
  show(run: string): Promise<{ run: StoredRun; scores: readonly TaskScore[] }>;
  export(run: string, file: string, format: ExportFormat): Promise<void>;
  close(): Promise<void>;
}

const ANSWER_WITHIN_MS = 30_000;

/**
 * @param token for a server that asks for one
 * @throws L2M_STORE_BUSY if another process has the directory open and serves no HTTP
 */
export async function openRunSource(directory: string, token: string | undefined): Promise<RunSource> {
  try {
    return await storedRuns(directory);
  } catch (error) {
    const owner = await readOwner(directory);
    if (!(error instanceof L2mError) || error.code !== 'L2M_STORE_BUSY' || owner?.url == null) throw error;
    return servedRuns(owner.url, token);
  }
}

async function storedRuns(directory: string): Promise<RunSource> {
  const store = await openRunStore({ directory });
  return {
    list: (limit) => store.listRuns({ limit, offset: 0 }),
    show: async (name) => {
      const run = await store.getRun(name);
      return { run, scores: taskScores(await store.latestEpisodes(name), run.tasks, run.protocol) };
    },
    export: (run, file, format) => store.exportRun(run, file, format),
    close: () => store.close(),
  };
}

function servedRuns(url: string, token: string | undefined): RunSource {
  const get = async (path: string): Promise<Response> => {
    const reply = await fetch(new URL(path, url), {
      headers: token === undefined ? {} : { authorization: `Bearer ${token}` },
      signal: AbortSignal.timeout(ANSWER_WITHIN_MS),
    }).catch((cause: unknown) => {
      throw new L2mError('L2M_STORE_BUSY', `the server at ${url} has it and does not answer`, { cause });
    });
    if (reply.ok) return reply;
    const refusal = (await reply.json()) as { code: string; message: string; hint: string };
    if (refusal.code === 'L2M_RUN_UNKNOWN') throw new L2mError('L2M_RUN_UNKNOWN', path.split(/[/?]/)[3] ?? path);
    throw new L2mError('L2M_STORE_BUSY', `the server at ${url} has it and says: ${refusal.message}`, {
      hint: reply.status === 401 ? 'Give a token of the role viewer as L2M_TOKEN.' : refusal.hint,
    });
  };
  const named = (run: string) => `/api/runs/${encodeURIComponent(run)}`;
  return {
    list: async (limit) => (await (await get(`/api/runs?limit=${limit}`)).json()) as { total: number; runs: RunHead[] },
    show: async (run) => (await (await get(named(run))).json()) as { run: StoredRun; scores: TaskScore[] },
    export: async (run, file, format) => {
      const reply = await get(`${named(run)}/export?format=${format}`);
      await writeFile(file, Buffer.from(await reply.arrayBuffer()));
    },
    close: () => Promise.resolve(),
  };
}
