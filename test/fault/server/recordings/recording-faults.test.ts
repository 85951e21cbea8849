import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { liveServer, shortRun } from '../../../support/live-server.ts';

test('where nothing can be recorded, recording stops with one notice and the run goes on; the next run tries again', async () => {
  const server = await liveServer({ record: 'all' });
  try {
    const place = join(server.config.data, 'recordings');
    // A file where the folder should be fails as a full disk does: every write is refused.
    writeFileSync(place, '');
    const first = await server.runs.start(shortRun({ episodes: 3 }));
    expect(await first.over).toMatchObject({ state: 'finished', finishedEpisodes: 6 });
    await server.recordingsFlushed();
    expect(server.notes.filter((note) => note.includes('Recording stopped'))).toHaveLength(1);
    rmSync(place);
    mkdirSync(place);
    const second = await server.runs.start(shortRun({ episodes: 2 }));
    expect(await second.over).toMatchObject({ state: 'finished' });
    await server.recordingsFlushed();
    expect((await server.recordings.list(second.run, { limit: 9, offset: 0 })).total).toBe(4);
  } finally {
    await server.close();
  }
});

test('a limit that one run fills alone ends recording, not the run', async () => {
  const server = await liveServer({ record: 'all', recordLimitMb: 1 });
  try {
    const handle = await server.runs.start(shortRun({ tasks: ['metaworld/reach-v3'], episodes: 24, horizon: 200 }));
    expect(await handle.over).toMatchObject({ state: 'finished', finishedEpisodes: 24 });
    await server.recordingsFlushed();
    expect(server.recordings.bytes).toBeLessThanOrEqual(1_000_000);
    expect((await server.recordings.list(handle.run, { limit: 99, offset: 0 })).total).toBeGreaterThan(0);
    expect(server.notes.some((note) => note.includes('--record-limit-mb'))).toBe(true);
  } finally {
    await server.close();
  }
}, 60_000);
