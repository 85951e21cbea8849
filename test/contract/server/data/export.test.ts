import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DuckDBInstance } from '@duckdb/node-api';
import hdf5, { type Dataset, type Group } from 'h5wasm/node';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { findDataSets } from '../../../../server/data/data-sets.ts';
import { exportData } from '../../../../server/data/export-data.ts';
import { smallEpisode, smallWriter } from '../../../support/data-sets.ts';

/** A Python that has minari, and one that has lerobot; neither belongs to the project. */
const MINARI = process.env['L2M_TEST_MINARI_PYTHON'];
const LEROBOT = process.env['L2M_TEST_LEROBOT_PYTHON'];

let folder = '';
let data = '';
let to = '';
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'l2m-export-'));
  [data, to] = [join(folder, 'trajectories'), join(folder, 'exported')];
  const reach = await smallWriter(data, 'metaworld/reach-v3');
  await reach.append(smallEpisode(0, { steps: 4, successAt: 3 }));
  await reach.append(smallEpisode(1, { steps: 3, noise: 0.1, successAt: 0 }));
  await reach.finish();
  const push = await smallWriter(data, 'metaworld/push-v3');
  await push.append(smallEpisode(5, { steps: 2 }));
  await push.close();
  const walker = await smallWriter(data, 'dmcontrol/walker-walk');
  await walker.append(smallEpisode(0));
  await walker.finish();
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const places = () => findDataSets(data);

function python(interpreter: string, args: readonly string[]): Record<string, unknown> {
  const script = new URL('read_exports.py', import.meta.url).pathname;
  const text = execFileSync(interpreter, [script, ...args], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });
  return JSON.parse(text.trim().split('\n').at(-1) ?? '') as Record<string, unknown>;
}

describe('for Minari', () => {
  test('writes one data set a task, each episode with the observation after its last action', async () => {
    const exported = await exportData('minari', await places(), { to, overwrite: false });
    expect(exported.map(({ path, episodes, transitions }) => [path.slice(to.length + 1), episodes, transitions])).toEqual([
      ['metaworld/push-v3/expert-v0', 1, 1],
      ['metaworld/reach-v3/expert-v0', 2, 5],
      ['dmcontrol/walker-walk/expert-v0', 1, 3],
    ]);
    await hdf5.ready;
    const file = new hdf5.File(join(to, 'metaworld/reach-v3/expert-v0/data/main_data.hdf5'), 'r');
    expect(file.keys()).toEqual(['episode_0', 'episode_1']);
    const episode = file.get('episode_1') as Group;
    const dataset = (name: string) => episode.get(name) as Dataset;
    expect(dataset('observations').shape).toEqual([3, 3]);
    expect(Array.from(dataset('observations').value as Float32Array)).toEqual([1, 1.5, 2, 2.5, 3, 3.5, 4, 4.5, 5]);
    expect(dataset('actions').shape).toEqual([2, 2]);
    expect(Array.from(dataset('rewards').value as Float32Array)).toEqual([2, 3]);
    expect(Array.from(dataset('truncations').value as Uint8Array)).toEqual([0, 1]);
    expect(Array.from(dataset('infos/success').value as Uint8Array)).toEqual([0, 1, 0]);
    expect(episode.attrs['total_steps']?.value).toBe(2);
    file.close();
    const metadata = JSON.parse(
      await readFile(join(to, 'metaworld/reach-v3/expert-v0/data/metadata.json'), 'utf8'),
    ) as Record<string, unknown>;
    expect(metadata).toMatchObject({ total_episodes: 2, total_steps: 5, data_format: 'hdf5' });
    expect(metadata['observation_space']).toContain('"low": [-Infinity, -Infinity, -Infinity]');
  });

  test.skipIf(MINARI === undefined)('is what the library itself loads (needs L2M_TEST_MINARI_PYTHON)', async () => {
    await exportData('minari', await places(), { to, overwrite: false });
    expect(python(MINARI ?? '', ['minari', to, 'metaworld/reach-v3/expert-v0'])).toMatchObject({
      listed: ['dmcontrol/walker-walk/expert-v0', 'metaworld/push-v3/expert-v0', 'metaworld/reach-v3/expert-v0'],
      ...{ episodes: 2, steps: 5, observation: [3], inside: true },
      observations: [
        [1, 1.5, 2],
        [2.5, 3, 3.5],
        [4, 4.5, 5],
      ],
      ...{ rewards: [2, 3], truncations: [0, 1], success: [0, 1, 0] },
    });
  });
});

describe('for LeRobot', () => {
  async function parquet(path: string, columns: string): Promise<unknown[]> {
    const instance = await DuckDBInstance.create(':memory:');
    const connection = await instance.connect();
    const reader = await connection.runAndReadAll(`SELECT ${columns} FROM read_parquet('${join(to, path)}')`);
    const rows = reader.getRowsJson();
    connection.closeSync();
    instance.closeSync();
    return rows;
  }

  test('writes all tasks of Meta-World as one data set, and each of DMControl as its own', async () => {
    const exported = await exportData('lerobot', await places(), { to, overwrite: false });
    expect(exported.map(({ path, episodes, transitions }) => [path.slice(to.length + 1), episodes, transitions])).toEqual([
      ['metaworld-expert', 3, 9],
      ['walker-walk-expert', 1, 4],
    ]);
    expect(await readdir(to)).toEqual(['metaworld-expert', 'walker-walk-expert']);
    const info = JSON.parse(await readFile(join(to, 'metaworld-expert/meta/info.json'), 'utf8')) as {
      features: Record<string, unknown>;
    };
    expect(info).toMatchObject({ codebase_version: 'v3.0', total_episodes: 3, total_frames: 9, total_tasks: 2, fps: 80 });
    expect(info.features['observation.state']).toEqual({
      ...{ dtype: 'float32', shape: [3], names: ['position_0', 'position_1', 'velocity_0'] },
    });
    expect(Object.keys(info.features)).toContain('next.success');
    const walker = await readFile(join(to, 'walker-walk-expert/meta/info.json'), 'utf8');
    expect(walker).not.toContain('next.success');
  });

  test('keeps every number in its place, and the statistics of each episode', async () => {
    await exportData('lerobot', await places(), { to, overwrite: false });
    const frames = await parquet(
      'metaworld-expert/data/chunk-000/file-000.parquet',
      '"observation.state", "next.reward", "next.success", "next.done", frame_index, episode_index, index, task_index',
    );
    expect(frames[2]).toEqual([[0.5, 1, 1.5], 1, false, false, '0', '1', '2', '1']);
    expect(frames.at(-1)).toEqual([[4, 4.5, 5], 4, false, true, '2', '2', '8', '1']);
    const episodes = await parquet(
      'metaworld-expert/meta/episodes/chunk-000/file-000.parquet',
      'tasks, length, dataset_from_index, dataset_to_index, "stats/next.reward/mean", "stats/next.reward/max", "stats/action/count"',
    );
    expect(episodes).toEqual([
      [['metaworld/push-v3'], '2', '0', '2', [6.5], [7], ['2']],
      [['metaworld/reach-v3'], '4', '2', '6', [2.5], [4], ['4']],
      [['metaworld/reach-v3'], '3', '6', '9', [3], [4], ['3']],
    ]);
    const stats = JSON.parse(await readFile(join(to, 'metaworld-expert/meta/stats.json'), 'utf8')) as Record<
      string,
      Record<string, number[]>
    >;
    // Rewards 6, 7; 1, 2, 3, 4; 2, 3, 4.
    expect(stats['next.reward']?.['mean']?.[0]).toBeCloseTo(32 / 9, 6);
    expect(stats['next.reward']?.['std']?.[0]).toBeCloseTo(Math.sqrt(144 / 9 - (32 / 9) ** 2), 6);
    expect(stats['next.reward']).toMatchObject({ min: [1], max: [7], count: [9] });
  });

  test.skipIf(LEROBOT === undefined)('is what the library itself loads (needs L2M_TEST_LEROBOT_PYTHON)', async () => {
    await exportData('lerobot', await places(), { to, overwrite: false });
    const seen = python(LEROBOT ?? '', ['lerobot', join(to, 'metaworld-expert')]);
    expect(seen).toMatchObject({ episodes: 3, frames: 9, task: 'metaworld/reach-v3', state: [5, 5.5, 6], episode: 1 });
    expect((seen['mean'] as number[])[0]).toBeCloseTo(32 / 9, 5);
  });
});

test('what exists is replaced only where that is asked for, and nothing is left half written', async () => {
  const options = { to, overwrite: false };
  await exportData('lerobot', await places(), options);
  await expect(exportData('lerobot', await places(), options)).rejects.toMatchObject({ code: 'L2M_CONFIG_INVALID' });
  await exportData('lerobot', await places(), { to, overwrite: true });
  expect((await readdir(to)).sort()).toEqual(['metaworld-expert', 'walker-walk-expert']);
  expect(existsSync(join(to, 'metaworld-expert/meta/info.json'))).toBe(true);
});
