import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { LiveServer } from '../../../../server/build-server.ts';
import { readSection } from '../../../../server/recordings/recording-file.ts';
import { sceneHash } from '../../../../server/live/scenes.ts';
import { liveServer, shortRun } from '../../../support/live-server.ts';

/** The quadruped escapes from other hills at each start: the only task that is drawn otherwise from start to start. */
describe('the recording of an episode on terrain', () => {
  let server: LiveServer;
  let run: string;

  beforeAll(async () => {
    server = await liveServer({ record: 'all', environments: 2 });
    const handle = await server.runs.start(
      shortRun({ tasks: ['dmcontrol/quadruped-escape'], episodes: 2, horizon: 4 }),
    );
    await handle.over;
    run = handle.run;
    await server.recordingsFlushed();
  });

  afterAll(() => server.close());

  it('brings its own geometry along, named by its content', async () => {
    const { recordings } = await server.recordings.list(run, { limit: 9, offset: 0 });
    expect(recordings).toHaveLength(2);
    const heights = await Promise.all(
      recordings.map(async ({ episode, scene }) => {
        const bytes = await server.recordings.read(run, episode);
        const manifest = await readSection(bytes, 'sceneManifest');
        const assets = await readSection(bytes, 'sceneAssets');
        if (!manifest.ok || !assets.ok || !manifest.value || !assets.value) throw new Error('no geometry inside');
        expect(sceneHash(manifest.value, assets.value)).toBe(scene);
        const { heightFields } = JSON.parse(Buffer.from(manifest.value).toString()) as {
          heightFields: { heights: { offset: number; shape: [number, number] } }[];
        };
        const { offset, shape } = heightFields[0]!.heights;
        return Buffer.from(assets.value).subarray(offset, offset + 4 * shape[0] * shape[1]);
      }),
    );
    expect(heights[0]?.length).toBe(201 * 201 * 4);
    expect(heights[0]?.equals(heights[1]!)).toBe(false);
  });
});
