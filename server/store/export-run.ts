import { open, rename, rm } from 'node:fs/promises';
import type { Database } from './database.ts';
import { EXPORT_CSV, EXPORT_PARQUET } from './queries.ts';
import type { StoredRun } from './records.ts';
import { taskScores } from './run-scores.ts';
import type { ExportFormat, RunStore } from './run-store.ts';
import { storeError } from './store-error.ts';

const PAGE = 500;

export interface ExportRequest {
  readonly run: StoredRun;
  readonly path: string;
  readonly format: ExportFormat;
}

/** Writes beside the target and renames, so that a reader never sees half a file. */
export async function exportRun(store: RunStore, database: Database, request: ExportRequest): Promise<void> {
  const { run, path, format } = request;
  const partial = `${path}.partial-${process.pid}`;
  try {
    switch (format) {
      case 'parquet':
        await database.read(EXPORT_PARQUET, { run: run.run, path: partial });
        break;
      case 'csv':
        await database.read(EXPORT_CSV, { run: run.run, path: partial });
        break;
      case 'json':
        await writeJson(store, run, partial);
        break;
    }
    await rename(partial, path);
  } catch (error) {
    await rm(partial, { force: true }).catch(() => undefined);
    throw storeError(error, path);
  }
}

async function writeJson(store: RunStore, run: StoredRun, path: string): Promise<void> {
  const file = await open(path, 'w');
  try {
    const scores = taskScores(await store.latestEpisodes(run.run), run.tasks, run.protocol);
    await file.write(`{\n"run": ${JSON.stringify(run)},\n"scores": ${JSON.stringify(scores)},\n"episodes": [`);
    let written = 0;
    for (;;) {
      const { total, episodes } = await store.listEpisodes(run.run, { limit: PAGE, offset: written });
      const lines = episodes.map((episode) => JSON.stringify(episode)).join(',\n');
      if (lines !== '') await file.write(`${written === 0 ? '\n' : ',\n'}${lines}`);
      written += episodes.length;
      if (episodes.length === 0 || written >= total) break;
    }
    await file.write('\n]\n}\n');
    await file.sync();
  } finally {
    await file.close();
  }
}
