import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { fromPlanes, readRecordingHeader, toPlanes } from '../../../../protocol/recording.ts';
import {
  readHeaderOf,
  readSection,
  recordingBytes,
  withSections,
  writeWhole,
} from '../../../../server/recordings/recording-file.ts';
import { sampleRecording } from './samples.ts';

const { facts, sections } = sampleRecording();

test('every section comes back bit for bit', async () => {
  const bytes = await recordingBytes(facts, sections);
  for (const name of ['rewards', 'executed', 'flags', 'selections', 'similarities', 'poseSteps', 'poses'] as const) {
    const read = await readSection(bytes, name);
    expect(read.ok && read.value).toStrictEqual(sections[name]);
  }
  const poses = await readSection(bytes, 'poses');
  expect(poses.ok && Object.is(poses.value?.[3], -0)).toBe(true);
  expect(await readSection(bytes, 'sceneAssets')).toEqual({ ok: true, value: undefined });
});

test('the byte planes of any words can be undone', () => {
  const words = Uint32Array.from({ length: 7 * 5 }, (_, index) => Math.imul(index + 1, 0x9e3779b1));
  expect(fromPlanes(toPlanes(words, 7), 7)).toStrictEqual(words);
  expect(fromPlanes(toPlanes(new Uint32Array(), 0), 0)).toStrictEqual(new Uint32Array());
});

test('sections are added without touching the others', async () => {
  const more = await withSections(await recordingBytes(facts, sections), { sceneAssets: Uint8Array.of(1, 2, 3) });
  if (!more.ok) throw new Error(more.error);
  expect(await readSection(more.value, 'sceneAssets')).toEqual({ ok: true, value: Uint8Array.of(1, 2, 3) });
  expect(await readSection(more.value, 'poses')).toEqual({ ok: true, value: sections.poses });
});

test('a file that is cut, damaged or another one is refused in words', async () => {
  const bytes = await recordingBytes(facts, sections);
  expect(readRecordingHeader(bytes.subarray(0, 5))).toMatchObject({ ok: false });
  expect(readRecordingHeader(Buffer.from('something else entirely'))).toEqual({
    ok: false,
    error: 'it does not begin as one',
  });
  expect(readRecordingHeader(bytes.subarray(0, 60))).toEqual({ ok: false, error: 'it ends within its header' });
  expect(await readSection(bytes.subarray(0, bytes.length - 9), 'poses')).toEqual({
    ok: false,
    error: 'its section poses is cut',
  });
  const damaged = Buffer.from(bytes);
  damaged.fill(0xff, damaged.length - 40);
  expect(await readSection(damaged, 'poses')).toEqual({ ok: false, error: 'its section poses is damaged' });
  const lying = await recordingBytes({ ...facts, pictures: 3 }, { ...sections, poses: sections.poses.slice(0, 42) });
  const text = lying.toString('latin1').replace('"pictures":3', '"pictures":4');
  expect(await readSection(Buffer.from(text, 'latin1'), 'poses')).toMatchObject({ ok: false });
});

test('a file is there whole or not at all', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'l2m-recording-'));
  try {
    const path = join(folder, 'a.l2mrec');
    await writeWhole(path, await recordingBytes(facts, sections));
    const file = await readHeaderOf(path);
    expect(file.ok && file.value.header).toMatchObject(facts);
    await expect(writeWhole(join(folder, 'missing/b.l2mrec'), Uint8Array.of(1))).rejects.toThrow('ENOENT');
    expect(readdirSync(folder)).toEqual(['a.l2mrec']);
  } finally {
    rmSync(folder, { recursive: true });
  }
});
