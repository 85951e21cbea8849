import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { poolText } from '../../../../server/cli/pool-command.ts';
import type { EvaluationRow } from '../../../../server/continual/evaluation-rows.ts';
import { inspectPool } from '../../../../server/continual/inspect-pool.ts';
import { RunFolder } from '../../../../server/continual/run-folder.ts';
import { openRowLog } from '../../../../server/learning/row-log.ts';
import { startBackend } from '../../../../server/tensors/backend.ts';
import { beginRun, smallSettings, train } from './small-run.ts';

const DRAWER = 'metaworld/drawer-open-v3';
const REACH = 'metaworld/reach-v3';
const DOOR = 'metaworld/door-open-v3';

let root = '';
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'l2m-inspect-'));
  await startBackend({ backend: 'auto', threadCount: 1, xla: false });
});
afterAll(() => rm(root, { recursive: true, force: true }));

type Steps = Record<string, number>;

function row(update: number, task: string, [modulators, keys]: readonly [Steps, Steps?]): EvaluationRow {
  return {
    ...{ update, task, episodes: 1, errors: 0, anyTime: 0, atEnd: 0, meanReturn: 0, normalizedScore: null },
    ...{ modulators, ...(keys === undefined ? {} : { keys }) },
  };
}

/** A trained run whose evaluations are written by hand: what they count is known. */
async function inspected(name: string, method: 'fitted-keys' | 'l2m-lora', rows: readonly EvaluationRow[]) {
  const settings = smallSettings({ method, others: [DOOR] });
  const options = await beginRun(root, name, settings);
  await train(options);
  const folder = new RunFolder(options.folder);
  const log = openRowLog<EvaluationRow>(folder.evaluations, undefined);
  for (const each of rows) log.append(each);
  return inspectPool(folder, settings);
}

describe('looking into a pool', () => {
  test('tells whose keys and rows serve which task, and how the selection moved at each switch', async () => {
    const pool = await inspected('fitted', 'fitted-keys', [
      ...[row(0, DRAWER, [{}]), row(0, REACH, [{}]), row(0, DOOR, [{}])],
      ...[
        row(3, DRAWER, [{ 1: 10 }, { 4: 10 }]),
        row(3, REACH, [{ 0: 10 }, { 1: 10 }]),
        row(3, DOOR, [{ 0: 8, 1: 2 }]),
      ],
      row(6, DRAWER, [
        { 1: 6, 2: 4 },
        { 4: 6, 7: 4 },
      ]),
      row(6, REACH, [
        { 2: 9, 0: 1 },
        { 7: 4, 8: 5, 1: 1 },
      ]),
      row(6, DOOR, [{ 0: 10 }, { 2: 10 }]),
    ]);
    expect(pool.stages).toBe(2);
    // Row 0 has never learned and so is nobody's; three keys were fitted for each of the others, four for the identity.
    expect(pool.rows.map(({ row: index, owner, keys }) => [index, owner, keys])).toEqual([
      [1, DRAWER, 3],
      [2, REACH, 3],
    ]);
    const [drawer, reach] = pool.rows;
    expect(drawer?.norms[0]).toBeGreaterThan(0);
    expect(drawer?.norms[1]).toBe(drawer?.norms[0]);
    expect(reach?.norms[0]).toBe(0);
    expect(reach?.norms[1]).toBeGreaterThan(0);

    const facts = pool.tasks.map(({ task, kept, accuracy, keptAtSwitches }) => [task, kept, accuracy, keptAtSwitches]);
    expect(facts).toEqual([
      [DRAWER, 0.6, 0.6, [0.6]],
      [REACH, 1, 0.9, [0.1]],
      // Of the pre-training: right where rows decided that nothing has changed.
      [DOOR, null, 1, [0.8]],
    ]);

    expect(pool.keys).toHaveLength(10);
    expect(pool.keys[0]).toEqual({ key: 0, row: 0, owner: null, shares: {} });
    expect(pool.keys[2]?.shares).toEqual({ [DOOR]: 1 });
    expect(pool.keys[4]).toEqual({ key: 4, row: 1, owner: DRAWER, shares: { [DRAWER]: 0.6 } });
    expect(pool.keys[7]).toEqual({ key: 7, row: 2, owner: REACH, shares: { [DRAWER]: 0.4, [REACH]: 0.4 } });

    const lines = poolText(pool).split('\n');
    expect(lines.find((line) => line.includes('1→2'))).toBeDefined();
    expect(
      lines.some((line) =>
        /^ *7 +2 +metaworld\/reach-v3 +metaworld\/drawer-open-v3 40 %, metaworld\/reach-v3 40 %/.test(line),
      ),
    ).toBe(true);
    expect(lines.some((line) => /^ *2 +0 +identity +metaworld\/door-open-v3 100 %/.test(line))).toBe(true);
  });

  test('of the paper has a key for each row, and lists no keys apart', async () => {
    const pool = await inspected('paper', 'l2m-lora', [
      ...[row(6, DRAWER, [{ 3: 1 }]), row(6, REACH, [{ 3: 1 }]), row(6, DOOR, [{ 3: 1 }])],
    ]);
    expect(pool.keys).toEqual([]);
    expect(pool.rows.length).toBeGreaterThan(0);
    for (const { keys, norms } of pool.rows) {
      expect(keys).toBe(1);
      expect(norms).toHaveLength(2);
    }
    expect(poolText(pool)).not.toContain('takes');
  });

  test('needs a pool, and a first task that is over', async () => {
    const begun = await beginRun(root, 'begun', smallSettings());
    await expect(inspectPool(new RunFolder(begun.folder), smallSettings())).rejects.toMatchObject({
      code: 'L2M_RUN_STATE',
    });
    const settings = smallSettings({ method: 'head' });
    const head = await beginRun(root, 'head', settings);
    await train(head);
    await expect(inspectPool(new RunFolder(head.folder), settings)).rejects.toMatchObject({
      code: 'L2M_CONFIG_INVALID',
    });
  });
});
