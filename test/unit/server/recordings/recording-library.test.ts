import { existsSync, mkdtempSync, readdirSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { recordingBytes } from '../../../../server/recordings/recording-file.ts';
import { RecordingLibrary } from '../../../../server/recordings/recording-library.ts';
import { sampleRecording } from './samples.ts';

let folder: string;
const nothingRuns = new Set<string>();

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'l2m-library-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

async function sample(run: string, start: number) {
  const episode = `metaworld.reach-v3.${start}.1`;
  const { facts, sections } = sampleRecording({ run, start, episode });
  return { run, episode, bytes: await recordingBytes(facts, sections) };
}

test('what was added is listed newest first, read, removed, and found again by the next server', async () => {
  const library = await RecordingLibrary.open(folder, 1e9);
  for (const start of [0, 1, 2]) await library.add(await sample('run-a', start), nothingRuns);
  for (const start of [0, 1, 2]) {
    utimesSync(join(folder, 'run-a', `metaworld.reach-v3.${start}.1.l2mrec`), 1000 + start, 1000 + start);
  }
  writeFileSync(join(folder, 'run-a', 'metaworld.reach-v3.7.1.l2mrec.part'), 'half');
  const next = await RecordingLibrary.open(folder, 1e9);
  expect(next.bytes).toBe(library.bytes);
  expect(readdirSync(join(folder, 'run-a'))).toHaveLength(3);
  const page = await next.list('run-a', { limit: 2, offset: 0, task: 'metaworld/reach-v3' });
  expect(page.total).toBe(3);
  expect(page.recordings.map(({ start }) => start)).toEqual([2, 1]);
  expect((await next.list('run-a', { limit: 9, offset: 0, task: 'metaworld/reach' })).total).toBe(0);
  expect(await next.read('run-a', 'metaworld.reach-v3.1.1')).toEqual((await sample('run-a', 1)).bytes);
  await next.remove('run-a', 'metaworld.reach-v3.1.1');
  await expect(next.read('run-a', 'metaworld.reach-v3.1.1')).rejects.toMatchObject({ code: 'L2M_RECORDING_UNKNOWN' });
  expect(await next.removeRun('run-a')).toBe(2);
  expect(existsSync(join(folder, 'run-a'))).toBe(false);
  expect(next.bytes).toBe(0);
});

test('the oldest go when the limit is reached, those of a run in progress never', async () => {
  const { bytes } = await sample('run-a', 0);
  const library = await RecordingLibrary.open(folder, bytes.length * 4.5);
  for (const [index, run] of ['run-a', 'run-b', 'run-b'].entries()) {
    await library.add(await sample(run, index), nothingRuns);
  }
  const live = new Set(['run-c', 'run-a']);
  for (const start of [3, 4, 5]) expect(await library.add(await sample('run-c', start), live)).toBe(true);
  expect(library.bytes).toBeLessThanOrEqual(bytes.length * 4.5);
  const left = async (run: string) => (await library.list(run, { limit: 9, offset: 0 })).total;
  expect([await left('run-a'), await left('run-b'), await left('run-c')]).toEqual([1, 0, 3]);
  expect(await library.add(await sample('run-c', 6), live)).toBe(false);
  expect(await left('run-a')).toBe(1);
});

test('names that leave the folder are unknown', async () => {
  const library = await RecordingLibrary.open(folder, 1e9);
  await expect(library.read('..', 'metaworld.x.0.1')).rejects.toMatchObject({ code: 'L2M_RECORDING_UNKNOWN' });
  expect(() => library.tag('run-a', '../../etc/passwd')).toThrow('There is no recording');
});
