import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openRunStore } from '../../../../server/store/duckdb-run-store.ts';
import type { RunStore } from '../../../../server/store/run-store.ts';
import { errorEpisode, metaworldEpisode, newRun } from './builders.ts';

const RUN = 'run-a';
let directory: string;
let store: RunStore;

beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), 'l2m-assisted-'));
  store = await openRunStore({ directory });
  await store.createRun(newRun(RUN));
  await store.recordEpisode(metaworldEpisode(RUN, { start: 0 }));
  await store.recordEpisode(metaworldEpisode(RUN, { start: 1, assistedSteps: 3 }));
  // First with help, then alone: the latest attempt decides. And the other way round.
  await store.recordEpisode(metaworldEpisode(RUN, { start: 2, assistedSteps: 1 }));
  await store.recordEpisode(metaworldEpisode(RUN, { start: 2, attempt: 2 }));
  await store.recordEpisode(metaworldEpisode(RUN, { start: 3 }));
  await store.recordEpisode(metaworldEpisode(RUN, { start: 3, attempt: 2, assistedSteps: 5 }));
  await store.recordEpisode(errorEpisode(RUN, { start: 4, assistedSteps: 2 }));
});

afterEach(async () => {
  await store.close();
  rmSync(directory, { recursive: true });
});

describe('episodes in which a person had a part', () => {
  it('are counted apart in the list of runs and in no success', async () => {
    const counts = {
      finishedEpisodes: 2,
      errorEpisodes: 1,
      assistedEpisodes: 2,
      judgedEpisodes: 2,
      successesAnyTime: 2,
    };
    expect(await store.getRun(RUN)).toMatchObject(counts);
  });

  it('keep their mark in the store and in every export', async () => {
    const latest = await store.latestEpisodes(RUN);
    expect(latest.map(({ start, assistedSteps }) => [start, assistedSteps])).toEqual([
      [0, 0],
      [1, 3],
      [2, 0],
      [3, 5],
      [4, 2],
    ]);
    const file = join(directory, 'episodes.csv');
    await store.exportRun(RUN, file, 'csv');
    const [head = '', ...rows] = readFileSync(file, 'utf8').trim().split('\n');
    const column = head.split(',').indexOf('assisted_steps');
    expect(column).toBeGreaterThan(0);
    expect(rows.map((row) => Number(row.split(',')[column]))).toEqual([0, 3, 1, 0, 0, 5, 2]);
    await store.exportRun(RUN, join(directory, 'run.json'), 'json');
    expect(readFileSync(join(directory, 'run.json'), 'utf8')).toMatch(/"assistedSteps": ?5/);
  });
});
