import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readRecordingHeader } from '../../../../protocol/recording.ts';
import type { LiveServer } from '../../../../server/build-server.ts';
import { main } from '../../../../server/main.ts';
import { loadRecording, type LoadedRecording } from '../../../../server/recordings/load-recording.ts';
import { recordingBytes, readSection } from '../../../../server/recordings/recording-file.ts';
import { resimulate } from '../../../../server/recordings/resimulate.ts';
import { liveServer, shortRun, temporaryFolder, until } from '../../../support/live-server.ts';

/** Recorded from real simulators by the server itself, and simulated again by another process. */
describe('a recorded episode', () => {
  let server: LiveServer;
  let run: string;
  const folder = temporaryFolder();

  beforeAll(async () => {
    server = await liveServer();
    const handle = await server.runs.start(
      shortRun({ tasks: ['metaworld/reach-v3', 'dmcontrol/walker-walk'], episodes: 3, horizon: 60 }),
    );
    await handle.over;
    run = handle.run;
    await server.recordingsFlushed();
  });

  afterAll(async () => {
    await server.close();
    folder.remove();
  });

  async function load(episode: string): Promise<LoadedRecording> {
    return loadRecording(await server.recordings.read(run, episode));
  }

  it('is kept of each, with poses of every step of the sampled ones', async () => {
    const { total, recordings } = await server.recordings.list(run, { limit: 10, offset: 0 });
    expect(total).toBe(6);
    for (const { start, length, pictures, poseRows, outcome, task } of recordings) {
      expect(length).toBe(60);
      expect(pictures).toBe(start === 0 ? 61 : 0);
      expect(poseRows > 5).toBe(start === 0);
      expect(outcome === 'scored').toBe(task.startsWith('dmcontrol'));
    }
    const stored = (await server.store.listEpisodes(run, { limit: 10, offset: 0 })).episodes;
    const reach = await load('metaworld.reach-v3.1.1');
    const row = stored.find(({ task, start }) => task === 'metaworld/reach-v3' && start === 1);
    expect(reach.rewards.reduce((sum, reward) => sum + reward, 0)).toBe(row?.return);
  });

  it.each(['metaworld.reach-v3.0.1', 'metaworld.reach-v3.2.1', 'dmcontrol.walker-walk.0.1'])(
    '%s comes out the same, bit for bit',
    async (episode) => {
      const recording = await load(episode);
      expect(await resimulate(recording, server.config)).toEqual({
        kind: 'equal',
        steps: 60,
        pictures: recording.header.pictures,
      });
    },
    60_000,
  );

  it('whose geometry nobody asked for gets it when it is wanted', async () => {
    const serving = await liveServer({}, { serve: true });
    try {
      const episode = 'metaworld.reach-v3.0.1';
      const bytes = await server.recordings.read(run, episode);
      const header = readRecordingHeader(bytes);
      expect(header.ok && header.value.header.scene).toBe('');
      await serving.recordings.add({ run, episode, bytes }, new Set());
      await until('a worker', () => serving.fleet.readyCount > 0);
      const reply = await fetch(`${serving.url ?? ''}/api/runs/${run}/recordings/${episode}?scene=true`);
      const assets = await readSection(new Uint8Array(await reply.arrayBuffer()), 'sceneAssets');
      expect(assets.ok && (assets.value?.length ?? 0)).toBeGreaterThan(1_000_000);
    } finally {
      await serving.close();
    }
  }, 60_000);

  it('gets the poses that were not kept when they are asked for, if it comes out the same', async () => {
    const episode = 'metaworld.reach-v3.2.1';
    const serving = await liveServer({ workers: 1, environments: 1 }, { serve: true });
    const rebuild = (name: string) =>
      fetch(`${serving.url ?? ''}/api/runs/${run}/recordings/${name}/poses`, { method: 'POST' });
    try {
      const before = await server.recordings.read(run, episode);
      await serving.recordings.add({ run, episode, bytes: before }, new Set());
      // Who asks twice waits for one simulation.
      const replies = await Promise.all([rebuild(episode), rebuild(episode)]);
      for (const reply of replies) expect(await reply.json()).toEqual({ pictures: 61 });
      const bytes = await serving.recordings.read(run, episode);
      const [was, is] = [await loadRecording(before), await loadRecording(bytes)];
      expect([is.header.pictures, is.poseSteps.length, is.poseSteps.at(-1)]).toEqual([61, 61, 60]);
      expect(is.header.poseRows).toBeGreaterThan(5);
      for (const part of ['rewards', 'executed', 'flags', 'observationChecks'] as const) {
        expect(Buffer.from(is[part].buffer).equals(Buffer.from(was[part].buffer))).toBe(true);
      }
      expect(await readSection(bytes, 'selections')).toEqual(await readSection(before, 'selections'));
      // As exact as poses that were recorded: they come out the same once more.
      expect(await resimulate(is, server.config)).toEqual({ kind: 'equal', steps: 60, pictures: 61 });

      const file = readRecordingHeader(before);
      if (!file.ok) throw new Error(file.error);
      const { sections: _, ...facts } = file.value.header;
      const executed = was.executed.map((value, index) => (index === 0 ? value * 0.5 : value));
      const { rewards, flags, observationChecks } = was;
      const tampered = await recordingBytes(facts, { rewards, flags, observationChecks, executed });
      await serving.recordings.add({ run, episode: 'metaworld.reach-v3.1.1', bytes: tampered }, new Set());
      const refused = await rebuild('metaworld.reach-v3.1.1');
      expect(refused.status).toBe(409);
      expect(await refused.json()).toMatchObject({ code: 'L2M_REPLAY_DIFFERENT' });
      expect((await serving.recordings.read(run, 'metaworld.reach-v3.1.1')).equals(tampered)).toBe(true);
      expect((await rebuild('metaworld.reach-v3.9.1')).status).toBe(404);
    } finally {
      await serving.close();
    }
  }, 120_000);

  it('that was tampered with is found out at its first difference', async () => {
    const recording = await load('metaworld.reach-v3.0.1');
    const width = recording.header.poseRows * 7;
    const poses = recording.poses.slice();
    poses[40 * width + 8] = (poses[40 * width + 8] ?? 0) + 1e-6;
    expect(await resimulate({ ...recording, poses }, server.config)).toMatchObject({
      kind: 'different',
      step: 40,
      value: 'poses[1].y',
      replayed: recording.poses[40 * width + 8],
    });
    const rewards = recording.rewards.with(20, (recording.rewards[20] ?? 0) * (1 + 2 ** -52));
    expect(await resimulate({ ...recording, rewards }, server.config)).toMatchObject({ step: 21, value: 'reward' });
    const executed = recording.executed.map((value, index) => (index === 4 * 30 ? value * 0.5 : value));
    expect(await resimulate({ ...recording, executed }, server.config)).toMatchObject({ kind: 'different', step: 31 });
  }, 60_000);

  it('is judged by the command with its exit code', async () => {
    const { data } = server.config;
    expect(await main(['node', 'l2m', 'replay', `${run}/metaworld.reach-v3.0.1`, '--data', data])).toBe(0);
    const bytes = readFileSync(join(data, 'recordings', run, 'metaworld.reach-v3.0.1.l2mrec'));
    const file = readRecordingHeader(bytes);
    if (!file.ok) throw new Error(file.error);
    const recording = await loadRecording(bytes);
    const { sections: _, ...facts } = file.value.header;
    const selections = await readSection(bytes, 'selections');
    if (!selections.ok || selections.value === undefined) throw new Error('no selections');
    const tampered = await recordingBytes(facts, {
      ...{ rewards: recording.rewards.with(3, 9), executed: recording.executed, flags: recording.flags },
      ...{ observationChecks: recording.observationChecks, selections: selections.value },
      ...{ poseSteps: recording.poseSteps, poses: recording.poses },
    });
    const path = join(folder.path, 'tampered.l2mrec');
    writeFileSync(path, tampered);
    expect(await main(['node', 'l2m', 'replay', path, '--data', data])).toBe(1);
    expect(await main(['node', 'l2m', 'replay', `${run}/metaworld.reach-v3.9.1`, '--data', data])).toBe(2);
    writeFileSync(path, tampered.subarray(0, tampered.length - 20));
    expect(await main(['node', 'l2m', 'replay', path, '--data', data])).toBe(2);
  }, 60_000);
});
