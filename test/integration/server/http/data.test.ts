import { appendFileSync, statSync, writeFileSync } from 'node:fs';
import { mkdir, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { DataSets } from '../../../../protocol/data-sets.ts';
import { smallEpisode, smallWriter } from '../../../support/data-sets.ts';
import { openTestServer, type TestServer } from './test-server.ts';

const REACH = 'metaworld/reach-v3';
const BALANCE = 'dmcontrol/cartpole-balance';

let server: TestServer;
let folder = '';
beforeEach(async () => {
  server = await openTestServer();
  folder = join(server.directory, 'trajectories');
});
afterEach(() => server.close());

const listed = async (): Promise<DataSets> => (await server.api.inject('/api/data')).json();

describe('GET /api/data', () => {
  it('has nothing before the first collection', async () => {
    expect(await listed()).toEqual({ sets: [], damaged: [] });
  });

  it('tells episodes, returns, success, provenance and hash of what is finished and of what is being collected', async () => {
    const finished = await smallWriter(folder, REACH);
    await finished.append(smallEpisode(0, { successAt: 1 }));
    await finished.append(smallEpisode(1, { successAt: 3 }));
    const file = await finished.finish();
    const growing = await smallWriter(folder, BALANCE, 'sac');
    await growing.append(smallEpisode(0, { steps: 6 }));

    const { sets, damaged } = await listed();
    expect(damaged).toEqual([]);
    expect(sets).toHaveLength(2);
    expect(sets[0]).toMatchObject({
      ...{ task: REACH, source: 'expert', state: 'finished', episodes: 2, transitions: 8, unfinishedEpisodes: 0 },
      // Rewards of episode k are k + 1, … k + 4.
      ...{ successAnyTime: 1, successAtEnd: 0.5, meanReturn: 12, sha256: file.hash },
      returns: { low: 10, high: 14 },
      provenance: { identity: { seed: 1, protocol: 'l2m-paper' }, notes: { command: 'l2m collect' } },
    });
    expect(sets[0]?.returns?.counts.reduce((sum, count) => sum + count, 0)).toBe(2);
    expect(sets[1]).toMatchObject({
      ...{ task: BALANCE, source: 'sac', state: 'collecting', episodes: 1, unfinishedEpisodes: 1, sha256: null },
      ...{ successAnyTime: null, successAtEnd: null },
    });

    await growing.append(smallEpisode(1));
    expect((await listed()).sets[1]?.episodes).toBe(2);
    await growing.close();
  });

  it('reads again only what has changed in size or time', async () => {
    const writer = await smallWriter(folder, REACH);
    await writer.append(smallEpisode(0));
    const { path } = await writer.finish();
    const before = await listed();
    // Nobody would see a change that leaves size and time alone: the file is not opened.
    const time = new Date(1_700_000_000_000);
    await utimes(path, time, time);
    expect(await listed()).toEqual(before);
    const bytes = Buffer.from('x'.repeat(statSync(path).size));
    writeFileSync(path, bytes);
    await utimes(path, time, time);
    expect(await listed()).toEqual(before);
    appendFileSync(path, 'x');
    const { sets, damaged } = await listed();
    expect(sets).toEqual([]);
    expect(damaged[0]?.file).toBe(path);
  });

  it('names what cannot be read, and lists the rest', async () => {
    const writer = await smallWriter(folder, REACH);
    await writer.append(smallEpisode(0));
    await writer.finish();
    const torn = join(folder, 'metaworld', 'push-v3');
    await mkdir(torn, { recursive: true });
    await writeFile(join(torn, 'expert.safetensors'), 'torn');
    const { sets, damaged } = await listed();
    expect(sets.map(({ task }) => task)).toEqual([REACH]);
    expect(damaged).toHaveLength(1);
    expect(damaged[0]?.message).toMatch(/L2M_DATA_INVALID|expert\.safetensors/);
  });
});
