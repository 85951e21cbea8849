import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DuckDBInstance } from '@duckdb/node-api';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openRunStore } from '../../../../server/store/duckdb-run-store.ts';
import type { RunStore } from '../../../../server/store/run-store.ts';
import { errorEpisode, metaworldEpisode, newRun, scoredEpisode } from './builders.ts';

const everything = { limit: 100, offset: 0 };

describe.each(['file', 'memory'] as const)('run store kept in %s', (kind) => {
  let directory: string;
  let store: RunStore;
  let clock: Date;

  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), "l2m store's "));
    clock = new Date('2026-11-23T18:00:00.123Z');
    store = await openRunStore({ directory: kind === 'file' ? join(directory, 'data') : null, now: () => clock });
  });

  afterEach(async () => {
    await store.close();
    await rm(directory, { recursive: true });
  });

  it('gives a run back as it was made, with the time it began', async () => {
    const run = newRun('run-a');
    await store.createRun(run);
    expect(await store.getRun('run-a')).toEqual({
      ...run,
      plannedEpisodes: 6,
      assistedEpisodes: 0,
      judgedEpisodes: 0,
      successesAnyTime: 0,
      successesAtEnd: 0,
      finishedEpisodes: 0,
      errorEpisodes: 0,
      redoneEpisodes: 0,
      message: '',
      startedAt: '2026-11-23T18:00:00.123Z',
      finishedAt: null,
    });
  });

  it('refuses a second run of the same name', async () => {
    await store.createRun(newRun('run-a'));
    await expect(store.createRun(newRun('run-a'))).rejects.toMatchObject({ code: 'L2M_RUN_STATE' });
  });

  it('names the nearest run when one does not exist', async () => {
    await store.createRun(newRun('eval-20261123'));
    const failures = [
      () => store.getRun('eval-20261124'),
      () => store.updateRun('eval-20261124', { state: 'running' }),
      () => store.listEpisodes('eval-20261124', everything),
      () => store.latestEpisodes('eval-20261124'),
      () => store.metrics('eval-20261124'),
      () => store.exportRun('eval-20261124', join(directory, 'out'), 'csv'),
    ];
    for (const failure of failures) {
      await expect(failure()).rejects.toMatchObject({
        code: 'L2M_RUN_UNKNOWN',
        hint: expect.stringContaining('eval-20261123') as string,
      });
    }
  });

  it('stamps the end of a run at its final state and clears it when the run goes on', async () => {
    await store.createRun(newRun('run-a'));
    clock = new Date('2026-11-23T19:00:00.000Z');
    await store.updateRun('run-a', { state: 'stopped', message: 'stopped by hand', redoneEpisodes: 3 });
    expect(await store.getRun('run-a')).toMatchObject({
      state: 'stopped',
      message: 'stopped by hand',
      redoneEpisodes: 3,
      finishedAt: '2026-11-23T19:00:00.000Z',
    });
    await store.updateRun('run-a', { message: 'only a word' });
    expect(await store.getRun('run-a')).toMatchObject({ state: 'stopped', finishedAt: '2026-11-23T19:00:00.000Z' });
    await store.updateRun('run-a', { state: 'running', tasks: [{ task: 'metaworld/reach-v3', episodes: 9 }] });
    expect(await store.getRun('run-a')).toMatchObject({ finishedAt: null, plannedEpisodes: 9, redoneEpisodes: 3 });
  });

  it('lists runs newest first, in pages, with counts of the latest attempts', async () => {
    for (const name of ['one', 'two', 'three']) {
      await store.createRun(newRun(name));
      clock = new Date(clock.getTime() + 1000);
    }
    await store.recordEpisode(errorEpisode('two', { start: 0 }));
    await store.recordEpisode(metaworldEpisode('two', { start: 0, attempt: 2 }));
    await store.recordEpisode(errorEpisode('two', { start: 1 }));
    const page = await store.listRuns({ limit: 2, offset: 0 });
    expect(page.total).toBe(3);
    expect(page.runs.map((run) => run.run)).toEqual(['three', 'two']);
    expect(page.runs[1]).toMatchObject({ finishedEpisodes: 1, errorEpisodes: 1 });
    expect((await store.listRuns({ limit: 2, offset: 2 })).runs.map((run) => run.run)).toEqual(['one']);
  });

  it('keeps every attempt of an episode and tells the latest', async () => {
    await store.createRun(newRun('run-a'));
    const bits = Uint8Array.from([0, 0, 1, 1, 0]);
    await store.recordEpisode(errorEpisode('run-a', { start: 4 }));
    await store.recordEpisode(metaworldEpisode('run-a', { start: 4, attempt: 2, successes: bits, return: 12.5 }));
    await store.recordEpisode(scoredEpisode('run-a', { start: 0, return: 801.25 }));
    const { total, episodes } = await store.listEpisodes('run-a', everything);
    expect(total).toBe(3);
    expect(episodes.map(({ task, start, attempt }) => [task, start, attempt])).toEqual([
      ['dmcontrol/walker-walk', 0, 1],
      ['metaworld/reach-v3', 4, 1],
      ['metaworld/reach-v3', 4, 2],
    ]);
    expect(episodes[0]).toMatchObject({
      outcome: 'scored',
      successAtEnd: null,
      firstSuccessStep: null,
      return: 801.25,
    });
    expect(episodes[1]).toMatchObject({ outcome: 'error', errorCode: 'L2M_SIMULATOR_FAULT', errorMessage: 'unstable' });
    expect(episodes[2]).toEqual({
      task: 'metaworld/reach-v3',
      start: 4,
      attempt: 2,
      assistedSteps: 0,
      outcome: 'success',
      length: 5,
      return: 12.5,
      successAtEnd: false,
      firstSuccessStep: 3,
      errorCode: null,
      errorMessage: null,
      similarityMean: 0.5,
      wallSeconds: 1.25,
      worker: 'worker-1',
      policyVersion: 7,
      finishedAt: '2026-11-23T18:30:00.250Z',
    });
    const latest = await store.latestEpisodes('run-a');
    expect(latest.map(({ task, start, attempt, outcome }) => [task, start, attempt, outcome])).toEqual([
      ['dmcontrol/walker-walk', 0, 1, 'scored'],
      ['metaworld/reach-v3', 4, 2, 'success'],
    ]);
  });

  it('filters and pages episodes', async () => {
    await store.createRun(newRun('run-a'));
    for (let start = 0; start < 5; start++) {
      await store.recordEpisode(metaworldEpisode('run-a', { start }));
      await store.recordEpisode(scoredEpisode('run-a', { start }));
    }
    const ofTask = await store.listEpisodes('run-a', { task: 'metaworld/reach-v3', limit: 2, offset: 3 });
    expect(ofTask.total).toBe(5);
    expect(ofTask.episodes.map((episode) => episode.start)).toEqual([3, 4]);
    expect((await store.listEpisodes('run-a', { ...everything, outcome: 'scored' })).total).toBe(5);
    expect((await store.listEpisodes('run-a', { ...everything, task: "x' OR true --" })).total).toBe(0);
  });

  it('refuses an attempt that is stored already without losing those committed with it', async () => {
    await store.createRun(newRun('run-a'));
    await store.recordEpisode(metaworldEpisode('run-a', { start: 0 }));
    const outcomes = await Promise.allSettled([
      store.recordEpisode(metaworldEpisode('run-a', { start: 1 })),
      store.recordEpisode(metaworldEpisode('run-a', { start: 0 })),
      store.recordEpisode(metaworldEpisode('run-a', { start: 2 })),
    ]);
    expect(outcomes.map((outcome) => outcome.status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
    expect((await store.listEpisodes('run-a', everything)).total).toBe(3);
    await expect(store.flush()).rejects.toMatchObject({ code: 'L2M_INTERNAL' });
    await expect(store.flush()).resolves.toBeUndefined();
  });

  it('refuses an episode whose figures contradict each other', async () => {
    await store.createRun(newRun('run-a'));
    const bad = [
      metaworldEpisode('run-a', { return: Number.NaN }),
      metaworldEpisode('run-a', { length: 3 }),
      metaworldEpisode('run-a', { selections: new Int16Array(2) }),
      scoredEpisode('run-a', { similarityMean: Infinity }),
    ];
    for (const record of bad) await expect(store.recordEpisode(record)).rejects.toMatchObject({ code: 'L2M_INTERNAL' });
    expect((await store.listEpisodes('run-a', everything)).total).toBe(0);
  });

  it('keeps training curves in order', async () => {
    await store.createRun({ ...newRun('train'), kind: 'pretrain', protocol: null, tasks: [] });
    await store.recordMetrics('train', [
      { step: 20, name: 'loss', value: 1.5 },
      { step: 10, name: 'loss', value: 2 },
      { step: 10, name: 'accuracy', value: 0.25 },
    ]);
    expect(await store.metrics('train', { name: 'loss' })).toEqual([
      { step: 10, name: 'loss', value: 2 },
      { step: 20, name: 'loss', value: 1.5 },
    ]);
    expect(await store.metrics('train')).toHaveLength(3);
  });

  describe('export', () => {
    beforeEach(async () => {
      await store.createRun(newRun('run-a'));
      await store.createRun(newRun('other'));
      await store.recordEpisode(metaworldEpisode('other', { start: 0 }));
      await store.recordEpisode(
        metaworldEpisode('run-a', { start: 1, successes: Uint8Array.from([0, 1, 1]), length: 3 }),
      );
      await store.recordEpisode(errorEpisode('run-a', { start: 0, errorMessage: 'quote " and, comma' }));
    });

    it('writes parquet that DuckDB reads back, per-step columns included', async () => {
      const path = join(directory, "it's.parquet");
      await store.exportRun('run-a', path, 'parquet');
      const instance = await DuckDBInstance.create(':memory:');
      const connection = await instance.connect();
      const reader = await connection.runAndReadAll(
        'SELECT run, policy, start, outcome, successes, selections, "return" FROM read_parquet($path) ORDER BY start',
        { path },
      );
      const rows = reader.getRowObjectsJS();
      expect(rows).toHaveLength(2);
      expect(rows[1]).toEqual({
        run: 'run-a',
        policy: 'mt10-small',
        start: 1,
        outcome: 'success',
        successes: [false, true, true],
        selections: [0, 0, 0],
        return: 10,
      });
      connection.closeSync();
      instance.closeSync();
    });

    it('writes csv with one line per attempt', async () => {
      const path = join(directory, 'out.csv');
      await store.exportRun('run-a', path, 'csv');
      const lines = (await readFile(path, 'utf8')).trim().split('\n');
      expect(lines).toHaveLength(3);
      expect(lines[0]).toMatch(/^run,policy,protocol,seed,task,start,attempt,outcome/);
      expect(lines[1]).toContain('"quote "" and, comma"');
    });

    it('writes json with the run, its scores and its episodes', async () => {
      const path = join(directory, 'out.json');
      await store.exportRun('run-a', path, 'json');
      const document = JSON.parse(await readFile(path, 'utf8')) as Record<string, unknown>;
      expect(document).toMatchObject({
        run: { run: 'run-a', seed: 42 },
        scores: [
          { task: 'metaworld/reach-v3', planned: 5, finished: 1, errors: 1, successAnyTime: { rate: 1 } },
          { task: 'dmcontrol/walker-walk', planned: 1, finished: 0 },
        ],
        episodes: [{ start: 0, outcome: 'error' }, { start: 1 }],
      });
    });

    it('says so when the target cannot be written and leaves nothing behind', async () => {
      for (const format of ['json', 'csv', 'parquet'] as const) {
        const path = join(directory, 'missing', 'out');
        await expect(store.exportRun('run-a', path, format)).rejects.toMatchObject({ code: 'L2M_STORE_UNWRITABLE' });
      }
    });
  });
});
