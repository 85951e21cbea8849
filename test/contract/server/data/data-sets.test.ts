import { appendFile, mkdtemp, open, readFile, rename, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { findDataSets, type DataSetPlace } from '../../../../server/data/data-sets.ts';
import { openDataSet } from '../../../../server/data/open-data-set.ts';
import { summariseDataSet, type DataSetSummary } from '../../../../server/data/summarise-data-set.ts';
import { verifyDataSet } from '../../../../server/data/verify-data-set.ts';
import { smallEpisode, smallWriter } from '../../../support/data-sets.ts';

let folder = '';
beforeEach(async () => (folder = await mkdtemp(join(tmpdir(), 'l2m-data-'))));
afterEach(() => rm(folder, { recursive: true, force: true }));

async function onlyPlace(): Promise<DataSetPlace> {
  const [place] = await findDataSets(folder);
  if (place === undefined) throw new Error('nothing was found');
  return place;
}

async function summaryOf(place: DataSetPlace): Promise<DataSetSummary> {
  const set = await openDataSet(place);
  if (set === undefined) throw new Error('nothing is described');
  try {
    return await summariseDataSet(set);
  } finally {
    await set.close();
  }
}

/** Reach with three episodes at two levels of noise: one never succeeds, one in between, one at its end. */
async function finished(): Promise<DataSetPlace> {
  const writer = await smallWriter(folder, 'metaworld/reach-v3');
  await writer.append(smallEpisode(0));
  await writer.append(smallEpisode(1, { noise: 0.1, successAt: 1 }));
  await writer.append(smallEpisode(2, { noise: 0.1, successAt: 4, steps: 5 }));
  await writer.finish();
  return onlyPlace();
}

async function flip(path: string, fromEnd: number): Promise<void> {
  const file = await open(path, 'r+');
  const position = (await stat(path)).size - fromEnd;
  const byte = Buffer.alloc(1);
  await file.read(byte, 0, 1, position);
  await file.write(Buffer.of((byte[0] ?? 0) ^ 0xff), 0, 1, position);
  await file.close();
}

describe('finding data sets', () => {
  test('takes tasks and sources in order, finished or not, and leaves other files out', async () => {
    await finished();
    await (await smallWriter(folder, 'dmcontrol/walker-walk', 'sac')).close();
    await (await smallWriter(folder, 'metaworld/reach-v3', 'another')).close();
    await appendFile(join(folder, 'metaworld/reach-v3/notes.txt'), 'mine');
    const found = await findDataSets(folder);
    expect(found.map(({ task, source, file, log }) => [task, source, file !== undefined, log !== undefined])).toEqual([
      ['metaworld/reach-v3', 'another', false, true],
      ['metaworld/reach-v3', 'expert', true, false],
      ['dmcontrol/walker-walk', 'sac', false, true],
    ]);
    const chosen = await findDataSets(folder, { tasks: ['dmcontrol/walker-walk'] });
    expect(chosen).toHaveLength(1);
  });

  test('says what is not there, with the nearest name of a source', async () => {
    await expect(findDataSets(folder)).rejects.toMatchObject({ code: 'L2M_DATA_INVALID' });
    await finished();
    await expect(findDataSets(folder, { source: 'exprt' })).rejects.toThrow(/exprt/);
    await expect(findDataSets(folder, { source: 'exprt' })).rejects.toMatchObject({
      hint: expect.stringContaining('expert') as string,
    });
  });
});

describe('a summary', () => {
  test('counts episodes, returns and both kinds of success, over all and by noise', async () => {
    const summary = await summaryOf(await finished());
    expect(summary).toMatchObject({ task: 'metaworld/reach-v3', state: 'finished', episodes: 3, transitions: 13 });
    // Returns 1 + 2 + 3 + 4, 2 + … + 5, 3 + … + 7.
    expect(summary.returns).toMatchObject({ low: 10, high: 25 });
    expect(summary.returns?.counts.reduce((a, b) => a + b)).toBe(3);
    expect(summary.meanReturn).toBeCloseTo((10 + 14 + 25) / 3, 6);
    expect(summary.successAnyTime?.rate).toBeCloseTo(2 / 3, 12);
    expect(summary.successAtEnd?.rate).toBeCloseTo(1 / 3, 12);
    expect(summary.byNoise['0']).toMatchObject({ episodes: 1, successAnyTime: { rate: 0 } });
    expect(summary.byNoise['0.1']).toMatchObject({ episodes: 2, successAnyTime: { rate: 1 }, successAtEnd: { rate: 0.5 } });
    expect(summary.sha256).toMatch(/^[0-9a-f]{64}$/);
    expect(summary.provenance.identity).toEqual({ seed: 1, protocol: 'l2m-paper' });
  });

  test('of a task that reports no success has none, rather than zero', async () => {
    const writer = await smallWriter(folder, 'dmcontrol/walker-walk');
    await writer.append(smallEpisode(0));
    await writer.finish();
    expect(await summaryOf(await onlyPlace())).toMatchObject({ successAnyTime: null, successAtEnd: null });
  });

  test('sees what a collection under way has kept, and leaves its log as it is', async () => {
    await finished();
    const writer = await smallWriter(folder, 'metaworld/reach-v3');
    await writer.append(smallEpisode(3, { successAt: 3 }));
    const place = await onlyPlace();
    await appendFile(place.log ?? '', Buffer.from('torn'));
    const before = await readFile(place.log ?? '');
    const summary = await summaryOf(place);
    expect(summary).toMatchObject({ state: 'collecting', episodes: 4, unfinishedEpisodes: 1 });
    expect((await readFile(place.log ?? '')).equals(before)).toBe(true);
    await writer.close();
  });

  test('of a collection that ended between looking and opening comes from the finished file', async () => {
    const writer = await smallWriter(folder, 'metaworld/reach-v3');
    await writer.append(smallEpisode(0));
    const place = await onlyPlace();
    expect(place.file).toBeUndefined();
    await writer.finish();
    expect(await summaryOf(place)).toMatchObject({ state: 'finished', episodes: 1 });
  });
});

describe('verifying', () => {
  test('finds sound data sound, a collection under way too', async () => {
    const place = await finished();
    expect(await verifyDataSet(place)).toMatchObject({ episodes: 3, problems: [], remarks: [] });
    const writer = await smallWriter(folder, 'metaworld/reach-v3');
    await writer.append(smallEpisode(9));
    const open = await onlyPlace();
    await appendFile(open.log ?? '', Buffer.from('torn'));
    const verdict = await verifyDataSet(open);
    expect(verdict).toMatchObject({ episodes: 4, problems: [] });
    expect(verdict.remarks).toEqual([expect.stringContaining('ends within an episode')]);
    await writer.close();
  });

  test('names the file whose bytes changed', async () => {
    const place = await finished();
    await flip(place.file ?? '', 3);
    const { problems } = await verifyDataSet(place);
    expect(problems).toEqual([expect.stringMatching(/reach-v3\/expert\.safetensors.*do not match their hash/)]);
  });

  test('names the log whose records changed, and still counts what is whole', async () => {
    const writer = await smallWriter(folder, 'metaworld/reach-v3');
    await writer.append(smallEpisode(0));
    await writer.append(smallEpisode(1));
    await writer.close();
    const place = await onlyPlace();
    await flip(place.log ?? '', 3);
    const { problems, episodes } = await verifyDataSet(place);
    expect(episodes).toBe(1);
    expect(problems).toEqual([expect.stringMatching(/expert\.safetensors\.part has bytes after episode 1/)]);
  });

  test('names a file that lies under another name', async () => {
    const place = await finished();
    await rename(place.file ?? '', join(dirname(place.file ?? ''), 'other.safetensors'));
    const { problems } = await verifyDataSet(await onlyPlace());
    expect(problems).toEqual([expect.stringContaining('says that it is metaworld/reach-v3 of expert')]);
  });
});
