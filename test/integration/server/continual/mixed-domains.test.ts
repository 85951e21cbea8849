import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { readCheckpoint } from '../../../../server/checkpoints/read-checkpoint.ts';
import { BatchSource } from '../../../../server/continual/batch-source.ts';
import { loadContinualState } from '../../../../server/continual/continual-state.ts';
import type { MethodName } from '../../../../server/continual/methods.ts';
import { runContinual } from '../../../../server/continual/run-continual.ts';
import { RunFolder } from '../../../../server/continual/run-folder.ts';
import { readMaterial } from '../../../../server/continual/training-material.ts';
import { allocateBatch } from '../../../../server/learning/batch-arrays.ts';
import { startBackend } from '../../../../server/tensors/backend.ts';
import { liveServer } from '../../../support/live-server.ts';
import { beginRun, MIXED_SEQUENCE, mixedSample, smallSettings, train } from './small-run.ts';

const [REACH, BALANCE] = MIXED_SEQUENCE;
const METHODS = ['l2m-lora', 'fitted-keys', 'replay', 'joint'] as const;

let root = '';
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'l2m-mixed-'));
  await startBackend({ backend: 'auto', threadCount: 1, xla: false });
});
afterAll(() => rm(root, { recursive: true, force: true }));

const settingsOf = (method: MethodName) =>
  smallSettings({
    ...{ method, sequence: MIXED_SEQUENCE, stepsPerTask: 2, evaluateEvery: 2 },
    ...(method === 'fitted-keys' ? { byLayout: true } : {}),
  });

/** How many dimensions of action each window of a batch learns, at its newest step. */
async function learnedDimensions(folder: string, method: MethodName, position: number): Promise<number[]> {
  const settings = settingsOf(method);
  const { policy, tasks } = await readMaterial(new RunFolder(folder), settings);
  const { context, actionSize } = policy.model;
  // Many: windows are drawn in proportion to the length of what they come from, which differs by domain.
  const batch = allocateBatch(64, policy.model);
  new BatchSource({ settings, policy, tasks }).fill(batch, 0, position);
  return Array.from({ length: batch.size }, (_, window) => {
    const newest = (window * context + context - 1) * actionSize;
    return batch.actionMask.subarray(newest, newest + actionSize).reduce((sum, one) => sum + one, 0);
  });
}

describe('a sequence of both domains', () => {
  test.each(METHODS)(
    'is learned by %s, whose windows have as many dimensions of action as their task',
    async (method) => {
      const options = await beginRun(root, method, settingsOf(method));
      const { events, result } = await train(options);
      expect(result).toMatchObject({ outcome: 'finished', update: 6 });
      const losses = events.flatMap((event) => (event.type === 'progress' ? [event.loss] : []));
      expect(losses).toHaveLength(6);
      // 64 bins, and weights drawn at random: near a blind guess in either domain.
      for (const loss of losses) expect(Math.abs(loss - Math.log(64))).toBeLessThan(1);

      const dimensions = await Promise.all([0, 1, 2].map((place) => learnedDimensions(options.folder, method, place)));
      const kinds = dimensions.map((each) => [...new Set(each)].sort());
      const own = [[4], [1], [4]];
      const expected = {
        'l2m-lora': own,
        'fitted-keys': own,
        replay: [[4], [1, 4], [1, 4]],
        joint: [
          [1, 4],
          [1, 4],
          [1, 4],
        ],
      };
      expect(kinds).toEqual(expected[method]);

      const { manifest } = await readCheckpoint(new RunFolder(options.folder).snapshot(6));
      expect(Object.keys(manifest.targetReturns)).toEqual(expect.arrayContaining([REACH, BALANCE]));
    },
  );

  test('comes back to the row of its first task, which the other domain has left alone', async () => {
    const folder = new RunFolder(join(root, 'fitted-keys'));
    const rowsAt = async (update: number) => {
      const { arrays } = await readCheckpoint(folder.snapshot(update));
      const rows = arrays.get('prompt.lora_b')?.data as Float32Array;
      const length = rows.length / 3;
      return [0, 1, 2].map((row) => rows.slice(row * length, (row + 1) * length));
    };
    const [first, second, third] = await Promise.all([2, 4, 6].map(rowsAt));
    expect(second?.[1]).toEqual(first?.[1]);
    expect(second?.[2]).not.toEqual(first?.[2]);
    expect(third?.[2]).toEqual(second?.[2]);
    expect(third?.[1]).not.toEqual(second?.[1]);
  });

  test('is the same when it was stopped within the other domain and resumed', async () => {
    const halves = await beginRun(root, 'halves', settingsOf('l2m-lora'));
    expect((await train(halves, 3)).result.outcome).toBe('stopped');
    await train({ ...halves, resume: true });
    const [one, two] = [await loadContinualState(join(root, 'l2m-lora')), await loadContinualState(halves.folder)];
    for (const [name, { data }] of one?.arrays ?? []) expect(two?.arrays.get(name)?.data, name).toEqual(data);
  });
});

describe('snapshots of both domains', { timeout: 400_000 }, () => {
  test('are evaluated on simulators of both: success in one, normalised returns in the other', async () => {
    const server = await liveServer({ environments: 2 });
    try {
      const settings = { ...settingsOf('fitted-keys'), stepsPerTask: 1, evaluateEvery: 1, episodes: 2, horizon: 8 };
      const checkpoint = join(root, 'checkpoint');
      const trajectories = await mixedSample(root);
      const { outcome, rows, summary } = await runContinual(
        server,
        {
          ...{ folder: join(server.config.data, 'continual', 'mixed'), settings, checkpoint, trajectories },
          ...{ resume: false, overwrite: false, backend: { backend: 'auto', threadCount: 1, xla: false } },
          ...{ saveEveryMinutes: 60, command: 'test', commit: 'unknown' },
        },
        {
          ...{ note: () => undefined, onEvent: () => undefined, evaluating: () => undefined },
          signal: new AbortController().signal,
        },
      );
      expect(outcome).toBe('finished');
      expect(rows.map(({ update, task }) => [update, task])).toEqual(
        [0, 1, 2, 3].flatMap((update) => [
          [update, REACH],
          [update, BALANCE],
        ]),
      );
      for (const row of rows) {
        expect(row).toMatchObject({ episodes: 2, errors: 0 });
        expect(row.anyTime === null).toBe(row.task === BALANCE);
        if (row.task === BALANCE) expect(row.normalizedScore).not.toBeNull();
        // Every step of every episode was decided by one row of the pool, once there is a pool.
        const steps = Object.values(row.modulators).reduce((sum, count) => sum + count, 0);
        expect(steps).toBe(row.update === 0 ? 0 : 2 * 8);
        // A cartpole is decided by the frozen model until it has keys of its own, and then by nothing else; arms never by its row.
        const own = row.update < 2 ? 0 : 2;
        if (row.update > 0 && row.task === BALANCE) expect(row.modulators).toEqual({ [own]: 2 * 8 });
        if (row.task === REACH) expect(row.modulators).not.toHaveProperty('2');
      }
      expect(summary?.anyTime.averagePerformance).not.toBeNull();
    } finally {
      await server.close();
    }
  });
});
