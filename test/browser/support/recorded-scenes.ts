import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { ScenePart } from '../../../server/live/scenes.ts';

const run = promisify(execFile);
const root = new URL('../../../', import.meta.url).pathname;
const PYTHON = join(root, '.l2m/venv/bin/python');

/** A scene as the exporter made it, and a real trajectory through it. Step 0 is the start. */
export interface RecordedScene {
  readonly task: string;
  readonly scene: ScenePart;
  readonly steps: number;
  readonly rewards: readonly number[];
  readonly successes: readonly boolean[];
  /** [rows, 7] of one step, flattened. */
  poses(step: number): Float32Array;
}

interface Description {
  readonly task: string;
  readonly hash: string;
  readonly rows: number;
  readonly rewards: readonly number[];
  readonly successes: readonly boolean[];
}

/** Runs real simulators. @param tasks `metaworld/reach-v3:120`: task and steps */
export async function recordScenes(tasks: readonly string[]): Promise<RecordedScene[]> {
  if (!existsSync(PYTHON)) throw new Error('the simulators are not set up: node server/setup/bootstrap.mjs test');
  const directory = await mkdtemp(join(tmpdir(), 'l2m-scenes-'));
  try {
    const script = join(root, 'test/browser/support/record_scenes.py');
    const env = { ...process.env, PYTHONPATH: join(root, 'sim-bridge/src') };
    await run(PYTHON, [script, directory, ...tasks], { env, timeout: 150_000 });
    return await readScenes(directory, tasks.length);
  } finally {
    await rm(directory, { recursive: true });
  }
}

export function readScenes(directory: string, count: number): Promise<RecordedScene[]> {
  return Promise.all(Array.from({ length: count }, (_, index) => readScene(join(directory, String(index)))));
}

/** @param path of its files, without their endings */
export async function readScene(path: string): Promise<RecordedScene> {
  const { task, hash, rows, rewards, successes } = JSON.parse(await readFile(`${path}.json`, 'utf8')) as Description;
  const [manifest, assets, bytes] = await Promise.all(
    ['manifest', 'assets', 'poses'].map((part) => readFile(`${path}.${part}`)),
  );
  if (manifest === undefined || assets === undefined || bytes === undefined) throw new Error(`${path} is incomplete`);
  const poses = new Float32Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength));
  return {
    task,
    scene: { hash, manifest, assets },
    steps: rewards.length - 1,
    rewards,
    successes,
    poses: (step) => poses.subarray(step * rows * 7, (step + 1) * rows * 7),
  };
}
