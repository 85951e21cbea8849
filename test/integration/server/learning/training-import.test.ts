import { appendFileSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openMetricsLog } from '../../../../server/learning/metrics-log.ts';
import type { PretrainProgress } from '../../../../server/learning/pretrain-events.ts';
import { TrainingImport } from '../../../../server/learning/training-import.ts';
import { openRunStore } from '../../../../server/store/duckdb-run-store.ts';
import type { RunStore } from '../../../../server/store/run-store.ts';
import { temporaryFolder } from '../../../support/live-server.ts';

const RUN = 'training-small';
let store: RunStore;
let folder: ReturnType<typeof temporaryFolder>;
let path: string;

beforeEach(async () => {
  store = await openRunStore({ directory: null });
  folder = temporaryFolder();
  path = join(folder.path, 'small', 'metrics.jsonl');
});

afterEach(async () => {
  await store.close();
  folder.remove();
});

function row(update: number, loss: number, change: Partial<PretrainProgress> = {}): PretrainProgress {
  return {
    ...{ type: 'progress', update, progress: update / 100, loss, learningRate: 0.001, gradientNorm: 1 },
    ...{ windowsPerSecond: 500, elapsedSeconds: update, secondsLeft: 100 - update, ...change },
  };
}

async function losses(): Promise<(readonly [number, number])[]> {
  const points = await store.metrics(RUN, { name: 'loss' });
  return points.map(({ step, value }) => [step, value]);
}

describe('trainings that other processes write', () => {
  it('appear as runs whose curves grow with the file, also half a row at a time', async () => {
    const trainings = new TrainingImport(store, folder.path);
    await trainings.sync();
    expect((await store.listRuns({ limit: 10, offset: 0 })).total).toBe(0);
    const log = openMetricsLog(path, 0);
    log.append(row(10, 2, { heldOutLoss: 2.5 }));
    await trainings.sync();
    expect(await store.getRun(RUN)).toMatchObject({ kind: 'pretrain', state: 'running', policy: 'training small' });
    log.append(row(20, 1.5));
    const half = JSON.stringify(row(30, 1));
    appendFileSync(path, half.slice(0, 20));
    await Promise.all([trainings.sync(), trainings.sync()]);
    expect(await losses()).toEqual([
      [10, 2],
      [20, 1.5],
    ]);
    appendFileSync(path, `${half.slice(20)}\n`);
    log.append(row(100, 0.5));
    await trainings.sync();
    expect((await losses()).map(([step]) => step)).toEqual([10, 20, 30, 100]);
    expect(await store.metrics(RUN, { name: 'heldOutLoss' })).toEqual([{ step: 10, name: 'heldOutLoss', value: 2.5 }]);
    expect(await store.getRun(RUN)).toMatchObject({ state: 'finished', message: '100 updates, 100 %' });
  });

  it('take the place of what a resumed training has taken back', async () => {
    const trainings = new TrainingImport(store, folder.path);
    const log = openMetricsLog(path, 0);
    for (const update of [10, 20, 30]) log.append(row(update, 1));
    await trainings.sync();
    const resumed = openMetricsLog(path, 10);
    for (const update of [15, 25, 35]) resumed.append(row(update, 0.5));
    await trainings.sync();
    expect(await losses()).toEqual([
      [10, 1],
      [15, 0.5],
      [25, 0.5],
      [35, 0.5],
    ]);
  });

  it('are left alone where they write into a store by themselves', async () => {
    openMetricsLog(path, 0).append(row(10, 1));
    writeFileSync(join(folder.path, 'small', 'run.txt'), 'pretrain-1');
    await new TrainingImport(store, folder.path).sync();
    expect((await store.listRuns({ limit: 10, offset: 0 })).total).toBe(0);
  });

  it('are there once, whatever server comes next, and are stopped when their process is silent', async () => {
    openMetricsLog(path, 0).append(row(10, 1));
    await new TrainingImport(store, folder.path).sync();
    await new TrainingImport(store, folder.path).sync();
    expect(await losses()).toEqual([[10, 1]]);
    const long = new Date(Date.now() - 3_600_000);
    utimesSync(path, long, long);
    await new TrainingImport(store, folder.path).sync();
    expect(await store.getRun(RUN)).toMatchObject({ state: 'stopped' });
  });
});
