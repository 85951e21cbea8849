import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { stateIndices } from '../../../../agent/context/state-mapping.ts';
import { TASK_GROUPS } from '../../../../agent/tasks/groups.ts';
import { randomSource } from '../../../../agent/random.ts';
import { L2mError } from '../../../../server/errors.ts';
import { importData, type ImportDataOptions } from '../../../../server/learning/import-data.ts';
import { specOfTask, taskOfFileName } from '../../../../server/learning/reference-task.ts';
import { readTrajectories } from '../../../../server/learning/trajectory-reader.ts';
import { zipOf, type ZipContent } from '../../../support/zip-writer.ts';

let folder = '';
beforeEach(async () => (folder = await mkdtemp(join(tmpdir(), 'l2m-import-data-'))));
afterEach(() => rm(folder, { recursive: true, force: true }));

type Numbers = Float32Array | Float64Array | Uint8Array;
const DESCR = { Float32Array: '<f4', Float64Array: '<f8', Uint8Array: '|b1' };

/** As numpy.save writes it: the header padded so that the data begin at a multiple of 64. */
function npy(data: Numbers, shape: readonly number[], changes: { descr?: string; fortran?: string } = {}): Buffer {
  const descr = changes.descr ?? DESCR[data.constructor.name as keyof typeof DESCR];
  const tuple = shape.length === 1 ? `(${shape[0] ?? 0},)` : `(${shape.join(', ')})`;
  const text = `{'descr': '${descr}', 'fortran_order': ${changes.fortran ?? 'False'}, 'shape': ${tuple}, }`;
  const padded = `${text.padEnd(Math.ceil((text.length + 11) / 64) * 64 - 11)}\n`;
  const head = Buffer.from(`\x93NUMPY\x01\x00..${padded}`, 'latin1');
  head.writeUInt16LE(padded.length, 8);
  return Buffer.concat([head, Buffer.from(data.buffer, data.byteOffset, data.byteLength)]);
}

const random = randomSource(3);
const draw = (count: number): Float32Array => Float32Array.from({ length: count }, () => 2 * random.uniform() - 1);

/** A replay buffer with episodes of the given lengths, then `rest` steps of an unfinished one. */
function buffer(observations: Numbers, size: number, { lengths, rest }: { lengths: readonly number[]; rest: number }) {
  const rows = lengths.reduce((sum, n) => sum + n, rest);
  const dones = new Float32Array(rows);
  lengths.reduce((end, n) => {
    dones[end + n - 1] = 1;
    return end + n;
  }, 0);
  const actions = draw(rows * size);
  actions[0] = 1.5;
  const rewards = draw(rows);
  const width = observations.length / rows;
  const contents: ZipContent[] = [
    { name: 'observations.npy', bytes: npy(observations, [rows, 1, width]) },
    { name: 'next_observations.npy', bytes: npy(observations, [rows, 1, width]) },
    { name: 'actions.npy', bytes: npy(actions, [rows, 1, size]) },
    { name: 'rewards.npy', bytes: npy(rewards, [rows, 1]) },
    { name: 'dones.npy', bytes: npy(dones, [rows, 1]) },
  ];
  return { contents, actions, rewards };
}

async function save(name: string, contents: readonly ZipContent[]): Promise<string> {
  const file = join(folder, name);
  await mkdir(join(file, '..'), { recursive: true });
  await writeFile(file, zipOf(contents));
  return file;
}

const run = (from: string, changes: Partial<ImportDataOptions> = {}) =>
  importData(from, { folder: join(folder, 'out'), source: 'reference', overwrite: false, notes: {}, ...changes });

describe('import of data', () => {
  test('splits a replay buffer at its ends, leaving out short and unfinished episodes', async () => {
    const observations = draw(23 * 39);
    const { contents, actions, rewards } = buffer(observations, 4, { lengths: [7, 4, 9], rest: 3 });
    const file = await save('hammer-v2.npz', contents);
    const [report] = await run(file);
    expect(report).toMatchObject({ task: 'metaworld/hammer-v3', episodes: 2, transitions: 16, clippedActions: 1 });
    expect(report).toMatchObject({ shortEpisodes: 1, unfinishedSteps: 3, skipped: ['next_observations'] });
    expect(report?.used).toEqual(['observations', 'actions', 'rewards', 'dones']);
    const read = await readTrajectories(report!.path);
    expect([...read.episodeOffsets]).toEqual([0, 7, 16]);
    expect(read.observations.slice(0, 7 * 39)).toEqual(observations.slice(0, 7 * 39));
    expect(read.observations.slice(7 * 39)).toEqual(observations.slice(11 * 39, 20 * 39));
    expect(read.actions[0]).toBe(1);
    expect(read.actions.slice(28)).toEqual(actions.slice(44, 80));
    expect(read.targets).toEqual(read.actions);
    expect(read.rewards.slice(7)).toEqual(rewards.slice(11, 20));
  });

  test.each(['walker-walk', 'reacher-easy', 'pendulum-swingup', 'finger-turn_hard'])(
    'brings unified observations of %s back to the simulator’s order',
    async (name) => {
      const task = `dmcontrol/${name}`;
      const spec = specOfTask(task);
      const indices = stateIndices(spec, 204);
      const native = draw(6 * indices.length);
      const unified = new Float64Array(6 * 204);
      native.forEach(
        (value, i) => (unified[Math.floor(i / indices.length) * 204 + indices[i % indices.length]!] = value),
      );
      const { contents } = buffer(unified, spec.actionSize, { lengths: [6], rest: 0 });
      const packed = contents.map((content) => ({ ...content, deflated: true }));
      const [report] = await run(await save(`${name.replace('-', '_')}.npz`, packed));
      expect(report?.task).toBe(task);
      expect((await readTrajectories(report!.path)).observations).toEqual(native);
    },
  );

  test('takes a folder of one file a task, and a folder of one file an episode', async () => {
    const { contents } = buffer(draw(8 * 39), 4, { lengths: [8], rest: 0 });
    await save('tasks/push-v2.npz', contents);
    await save('tasks/reach-v2.npz', contents);
    expect((await run(join(folder, 'tasks'))).map(({ task }) => task)).toEqual([
      'metaworld/push-v3',
      'metaworld/reach-v3',
    ]);
    for (const [i, steps] of [6, 9].entries()) {
      const arrays = { states: npy(draw(steps * 39), [steps, 39]), actions: npy(draw(steps * 4), [steps, 4]) };
      await save(`window-open-v2/${i}.npz`, [
        { name: 'states.npy', bytes: arrays.states },
        { name: 'actions.npy', bytes: arrays.actions },
        { name: 'rewards.npy', bytes: npy(draw(steps), [steps]) },
        { name: 'dones.npy', bytes: npy(Uint8Array.of(1), []) },
      ]);
    }
    const [report] = await run(join(folder, 'window-open-v2'));
    expect(report).toMatchObject({ task: 'metaworld/window-open-v3', episodes: 2, transitions: 15 });
  });

  test('does not replace data by accident', async () => {
    const { contents } = buffer(draw(8 * 39), 4, { lengths: [8], rest: 0 });
    const file = await save('push-v2.npz', contents);
    const [first] = await run(file);
    await expect(run(file)).rejects.toMatchObject({ code: 'L2M_STORE_UNWRITABLE' });
    expect((await run(file, { overwrite: true }))[0]?.sha256).toBe(first?.sha256);
  });

  const good = () => buffer(draw(8 * 39), 4, { lengths: [8], rest: 0 }).contents;
  const swapped = (name: string, bytes: Buffer) => good().map((each) => (each.name === name ? { name, bytes } : each));
  const cases: readonly (readonly [what: string, contents: () => readonly ZipContent[], message: RegExp])[] = [
    ['without rewards', () => good().filter(({ name }) => name !== 'rewards.npy'), /lacks rewards/],
    ['of Python objects', () => swapped('actions.npy', npy(draw(32), [8, 1, 4], { descr: '|O' })), /holds \|O/],
    ['of big-endian numbers', () => swapped('actions.npy', npy(draw(32), [8, 1, 4], { descr: '>f4' })), />f4/],
    [
      'stored by columns',
      () => swapped('actions.npy', npy(draw(32), [8, 1, 4], { fortran: 'True' })),
      /column by column/,
    ],
    ['of another shape', () => swapped('actions.npy', npy(draw(24), [8, 1, 3])), /expected \[8, 1, 4\]/],
    ['of several environments', () => swapped('actions.npy', npy(draw(32), [8, 2, 2])), /expected \[8, 1, 4\]/],
    ['with a false size', () => swapped('actions.npy', npy(draw(8), [8, 1, 4])), /not 256/],
    ['with a huge size', () => swapped('actions.npy', npy(draw(8), [999999999999999, 1, 4])), /has \d+ bytes/],
    ['with text for an array', () => swapped('actions.npy', Buffer.from('hello, this is no array')), /no NumPy array/],
    [
      'with rows that are not finite',
      () => swapped('rewards.npy', npy(draw(8).fill(Number.NaN), [8, 1])),
      /not finite/,
    ],
    ['that never ends an episode', () => swapped('dones.npy', npy(new Float32Array(8), [8, 1])), /no finished episode/],
    ['of another task', () => swapped('observations.npy', npy(draw(8 * 204), [8, 1, 204])), /does not observe/],
  ];
  test.each(cases)('refuses data %s', async (_, contents, message) => {
    const file = await save('push-v2.npz', contents());
    await expect(run(file)).rejects.toMatchObject({
      code: 'L2M_DATA_INVALID',
      message: expect.stringMatching(message) as string,
    });
  });

  test('refuses pickles, unknown tasks, empty folders and nothing', async () => {
    await writeFile(join(folder, 'push-v2.pkl'), '\x80\x02N.');
    await mkdir(join(folder, 'empty'));
    await expect(run(join(folder, 'push-v2.pkl'))).rejects.toMatchObject({ code: 'L2M_DATA_INVALID' });
    await expect(run(join(folder, 'empty'))).rejects.toMatchObject({ code: 'L2M_DATA_INVALID' });
    await expect(run(join(folder, 'nothing.npz'))).rejects.toMatchObject({ code: 'L2M_DATA_INVALID' });
    const file = await save('pusch-v2.npz', good());
    await expect(run(file)).rejects.toMatchObject({
      code: 'L2M_TASK_UNKNOWN',
      hint: expect.stringContaining('push') as string,
    });
  });

  test('survives damaged files: an error with a code, or whole episodes', async () => {
    const bytes = zipOf(good());
    for (let round = 0; round < 200; round++) {
      const damaged = Buffer.from(bytes);
      for (let flips = 0; flips < 4; flips++) damaged[random.below(damaged.length)] = random.below(256);
      const file = join(folder, 'push-v2.npz');
      await writeFile(file, damaged);
      await run(file, { overwrite: true }).catch((thrown: unknown) => expect(thrown).toBeInstanceOf(L2mError));
    }
  });
});

describe('the reference’s tasks', () => {
  test('are found by the names of its files', () => {
    expect(taskOfFileName('pick-place-wall-v2')).toBe('metaworld/pick-place-wall-v3');
    expect(taskOfFileName('ball_in_cup_catch')).toBe('dmcontrol/ball_in_cup-catch');
    expect(taskOfFileName('point_mass-easy')).toBe('dmcontrol/point_mass-easy');
  });

  test('all have a place in the unified observation', () => {
    for (const task of [...TASK_GROUPS.DMC16, ...TASK_GROUPS.MT50]) {
      const spec = specOfTask(task);
      const size = spec.observation.reduce((sum, part) => sum + part.size, 0);
      expect(stateIndices(spec, 204)).toHaveLength(size);
    }
    expect(() => specOfTask('dmcontrol/dog-run')).toThrow(/dog-run/);
  });
});
