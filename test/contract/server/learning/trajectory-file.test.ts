import { appendFile, mkdtemp, readFile, readdir, rm, stat, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { TaskSpec } from '../../../../protocol/task.ts';
import type { Episode } from '../../../../server/learning/episode.ts';
import { openTrajectoryWriter } from '../../../../server/learning/trajectory-writer.ts';
import { readTrajectories, readTrajectoryIndex } from '../../../../server/learning/trajectory-reader.ts';

const spec: TaskSpec = {
  task: 'metaworld/reach-v3',
  observation: [{ name: 'state', size: 3 }],
  actionSize: 2,
  controlTimestep: 0.0125,
  reportsSuccess: true,
  hasExpert: true,
};

function episode(start: number, steps = 4, noise = 0.1): Episode {
  const ramp = (count: number, scale: number) => Float32Array.from({ length: count }, (_, i) => scale * (start + i));
  return {
    start,
    noise,
    observations: ramp(steps * 3, 0.5),
    actions: ramp(steps * 2, 0.001),
    targets: ramp(steps * 2, -0.001),
    rewards: ramp(steps, 1),
    successes: Uint8Array.from({ length: steps }, (_, i) => Number(i === steps - 1)),
  };
}

let folder = '';
beforeEach(async () => (folder = await mkdtemp(join(tmpdir(), 'l2m-trajectories-'))));
afterEach(() => rm(folder, { recursive: true, force: true }));

const writer = (changes: { seed?: number; overwriteSource?: boolean } = {}) =>
  openTrajectoryWriter({
    folder,
    task: 'metaworld/reach-v3',
    source: 'expert',
    spec,
    provenance: {
      identity: { seed: changes.seed ?? 1, protocol: 'l2m-paper' },
      notes: { command: 'collect --seed 1' },
    },
    overwriteSource: changes.overwriteSource ?? false,
  });

describe('trajectory file', () => {
  test('gives back every number, ordered by start, in the documented place', async () => {
    const open = await writer();
    await Promise.all([episode(2, 5), episode(0), episode(1, 7, 0.3)].map((each) => open.append(each)));
    const finished = await open.finish();

    expect(finished).toMatchObject({ path: join(folder, 'metaworld/reach-v3/expert.safetensors'), episodes: 3 });
    expect(finished.transitions).toBe(16);
    expect(await readdir(join(folder, 'metaworld/reach-v3'))).toEqual(['expert.safetensors']);

    const read = await readTrajectories(finished.path);
    expect([...read.episodeOffsets]).toEqual([0, 4, 11, 16]);
    expect([...read.starts]).toEqual([0, 1, 2]);
    expect([...read.noises]).toEqual([0.1, 0.3, 0.1].map(Math.fround));
    expect(read.observations.slice(33)).toEqual(episode(2, 5).observations);
    expect(read.actions.slice(8, 22)).toEqual(episode(1, 7).actions);
    expect(read.targets.slice(0, 8)).toEqual(episode(0).targets);
    expect([...read.rewards.slice(0, 4)]).toEqual([0, 1, 2, 3]);
    expect([...read.successes.slice(4, 11)]).toEqual([0, 0, 0, 0, 0, 0, 1]);
    expect(read.head.spec).toEqual(spec);
    expect(read.head.provenance.identity).toEqual({ seed: 1, protocol: 'l2m-paper' });
    expect(read.contentHash).toBe(finished.hash);
  });

  test('is a safetensors file: header length, JSON, then exactly the tensors', async () => {
    const open = await writer();
    await open.append(episode(0));
    const { path } = await open.finish();
    const bytes = await readFile(path);
    const headerBytes = Number(bytes.readBigUInt64LE(0));
    const header = JSON.parse(bytes.toString('utf8', 8, 8 + headerBytes)) as Record<string, Record<string, unknown>>;
    expect(header['observations']).toEqual({ dtype: 'F32', shape: [4, 3], data_offsets: [0, 48] });
    expect(header['successes']?.['dtype']).toBe('U8');
    expect(headerBytes % 8).toBe(0);
  });

  test('has the same hash in whatever order and however many sessions the episodes came', async () => {
    const first = await writer();
    for (const start of [0, 1, 2, 3]) await first.append(episode(start));
    const { hash } = await first.finish();
    const again = await writer({ overwriteSource: true });
    for (const start of [3, 1]) await again.append(episode(start));
    await again.finish();
    const rest = await writer();
    expect([...rest.finishedStarts()].sort()).toEqual([1, 3]);
    for (const start of [2, 0, 3]) await rest.append(episode(start));
    expect(await rest.finish()).toMatchObject({ hash, episodes: 4 });
  });

  test('knows after a crash which episodes it has, and cuts off a torn one', async () => {
    const open = await writer();
    await open.append(episode(0, 4, 0.1));
    await open.append(episode(0, 4, 0.3));
    await open.append(episode(5));
    await open.close();
    const log = join(folder, 'metaworld/reach-v3/expert.safetensors.part');
    await truncate(log, (await stat(log)).size - 3);
    await appendFile(log, 'rubbish');

    const again = await writer();
    expect([...again.finishedStarts()]).toEqual([0]);
    expect([0.1, 0.3, 0.5].map((noise) => again.hasEpisode(0, noise))).toEqual([true, true, false]);
    await again.append(episode(5));
    const read = await readTrajectories((await again.finish()).path);
    expect(read.episodeCount).toBe(3);
    expect(read.observations.slice(24)).toEqual(episode(5).observations);
  });

  test('loses no appended episode to SIGKILL', async () => {
    const child = fork(new URL('./append-until-killed.ts', import.meta.url), [folder], {
      execArgv: ['--import', 'tsx'],
    });
    let appended = 0;
    child.on('message', (count) => {
      appended = count as number;
      if (appended === 25) child.kill('SIGKILL');
    });
    const [, signal] = (await once(child, 'exit')) as [number | null, string];
    expect(signal).toBe('SIGKILL');
    const open = await writer();
    expect(open.finishedStarts().size).toBeGreaterThanOrEqual(appended);
    expect((await open.finish()).episodes).toBeGreaterThanOrEqual(25);
  });

  test('refuses to mix data of another seed, finished or not, unless told to overwrite', async () => {
    const open = await writer();
    await open.append(episode(0));
    await open.close();
    const refused = {
      ...{ code: 'L2M_DATA_INVALID', message: expect.stringContaining('(seed differ)') as string },
      hint: expect.stringMatching(/^It was begun by `npx l2m collect --seed 1`: repeat that/) as string,
    };
    await expect(writer({ seed: 2 })).rejects.toMatchObject(refused);
    await (await writer()).finish();
    await expect(writer({ seed: 2 })).rejects.toMatchObject(refused);
    const fresh = await writer({ seed: 2, overwriteSource: true });
    expect(fresh.finishedStarts().size).toBe(0);
    await fresh.close();
  });

  test.each([
    ['a wrong width', { observations: new Float32Array(5) }],
    ['a number that is not finite', { rewards: Float32Array.of(1, Number.NaN, 1, 1) }],
    ['an action beyond 1', { actions: new Float32Array(8).fill(1.01) }],
    ['no steps', { rewards: new Float32Array(0) }],
  ])('refuses an episode with %s', async (_, change) => {
    const open = await writer();
    await expect(open.append({ ...episode(0), ...change })).rejects.toMatchObject({ code: 'L2M_DATA_INVALID' });
    expect(open.finishedStarts().size).toBe(0);
    await open.close();
  });

  test.each([
    ['is cut short', (bytes: Buffer) => bytes.subarray(0, -1)],
    ['is longer than its tensors', (bytes: Buffer) => Buffer.concat([bytes, Buffer.alloc(1)])],
    ['has one flipped bit', (bytes: Buffer) => flip(bytes, bytes.byteLength - 60)],
    ['claims a huge header', (bytes: Buffer) => flip(bytes, 5)],
    ['has no header', () => Buffer.from('text')],
    ['has another format', (bytes: Buffer) => replaced(bytes, 'l2m-trajectories/1', 'l2m-trajectories/2')],
    ['lacks a tensor', (bytes: Buffer) => replaced(bytes, '"rewards"', '"rewardz"')],
    ['has another shape', (bytes: Buffer) => replaced(bytes, '"shape":[4,3]', '"shape":[3,4]')],
    ['describes a task that is none', (bytes: Buffer) => replaced(bytes, 'metaworld/reach', 'metaw0rld/reach')],
  ])('is refused with what was got if it %s', async (_, damage) => {
    const open = await writer();
    await open.append(episode(0));
    const { path } = await open.finish();
    await writeFile(path, damage(await readFile(path)));
    await expect(readTrajectories(path)).rejects.toMatchObject({ code: 'L2M_DATA_INVALID' });
  });

  test('is refused if it does not exist, and tells its size without reading its steps', async () => {
    await expect(readTrajectories(join(folder, 'nothing'))).rejects.toMatchObject({ code: 'L2M_DATA_INVALID' });
    const open = await writer();
    await open.append(episode(7, 9));
    const index = await readTrajectoryIndex((await open.finish()).path);
    expect(index).toMatchObject({ episodeCount: 1, transitionCount: 9 });
  });

  test('says that a directory cannot be written', async () => {
    await writeFile(join(folder, 'metaworld'), 'a file where a folder should be');
    await expect(writer()).rejects.toMatchObject({
      code: expect.stringMatching(/L2M_(STORE_UNWRITABLE|DATA_INVALID)/) as string,
    });
  });
});

function flip(bytes: Buffer, position: number): Buffer {
  const copy = Buffer.from(bytes);
  copy[position] = (copy[position] ?? 0) ^ 0x10;
  return copy;
}

function replaced(bytes: Buffer, from: string, to: string): Buffer {
  const text = bytes.toString('latin1');
  if (!text.includes(from)) throw new Error(`the file does not hold ${from}`);
  return Buffer.from(text.replace(from, to), 'latin1');
}
