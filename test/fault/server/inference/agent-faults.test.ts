import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import type { LiveServer } from '../../../../server/build-server.ts';
import { liveServer, shortRun, until } from '../../../support/live-server.ts';
import { writeRandomCheckpoint } from '../../../support/random-checkpoint.ts';

let server: (LiveServer & { notes: string[] }) | undefined;

afterEach(async () => {
  await server?.close();
  server = undefined;
});

async function serverWithModel() {
  server = await liveServer({ maxBatch: 4 });
  const folder = join(server.config.data, 'random');
  await writeRandomCheckpoint(folder);
  return { server, request: shortRun({ policy: { kind: 'checkpoint', folder } }) };
}

describe('a run with a real agent host', () => {
  it('goes on when the host is killed: it is restarted and no episode is redone', async () => {
    const { server, request } = await serverWithModel();
    const handle = await server.runs.start({ ...request, horizon: 300 });
    await until('the first decisions', () => handle.summary().finishedEpisodes > 0, 90_000);
    const killed = server.policies.hostProcessId;
    process.kill(killed ?? 0, 'SIGKILL');
    const summary = await handle.over;
    expect(summary).toMatchObject({ state: 'finished', finishedEpisodes: 12, errorEpisodes: 0, redoneEpisodes: 0 });
    expect(server.policies.hostProcessId).not.toBe(killed);
    expect(server.notes.join('\n')).toMatch(/agent host ended with signal SIGKILL; restart 1/);
  });

  it('gives the same episodes with and without a killed host', async () => {
    const { server, request } = await serverWithModel();
    const calm = await (await server.runs.start(request)).over;
    const handle = await server.runs.start(request);
    process.kill(server.policies.hostProcessId ?? 0, 'SIGKILL');
    const disturbed = await handle.over;
    const returnsOf = async (run: string) =>
      (await server.store.latestEpisodes(run)).map((episode) => [episode.task, episode.start, episode.return]);
    expect(await returnsOf(disturbed.run)).toEqual(await returnsOf(calm.run));
  });
});
