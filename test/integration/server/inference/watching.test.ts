import { mkdtempSync, rmSync } from 'node:fs';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { PROTOCOL_VERSION } from '../../../../protocol/version.ts';
import type { LiveServer } from '../../../../server/build-server.ts';
import { readSection } from '../../../../server/recordings/recording-file.ts';
import { liveServer, shortRun, until } from '../../../support/live-server.ts';
import { writeRandomCheckpoint } from '../../../support/random-checkpoint.ts';
import { TestPage } from '../../../support/test-page.ts';

const TASKS = ['metaworld/reach-v3', 'dmcontrol/walker-walk'];

const root = mkdtempSync(path.join(tmpdir(), 'l2m-watch-'));
const folder = path.join(root, 'random');
let server: LiveServer;

beforeAll(async () => {
  vi.stubEnv('TF_XLA_FLAGS', '--tf_xla_auto_jit=0');
  await writeRandomCheckpoint(folder, 1);
  // One environment: the batch, whose size may move the last digits of a sum, is then the same in both runs.
  server = await liveServer({ environments: 1 }, { serve: true });
});

afterAll(async () => {
  await server.close();
  vi.unstubAllEnvs();
  rmSync(root, { recursive: true });
});

/** Actions and selections of every episode of a run, as they were recorded. */
async function play(): Promise<Map<string, string>> {
  const handle = await server.runs.start(
    shortRun({ tasks: TASKS, episodes: 2, horizon: 80, policy: { kind: 'checkpoint', folder } }),
  );
  await handle.over;
  await server.recordingsFlushed();
  const { recordings } = await server.recordings.list(handle.run, { limit: 100, offset: 0 });
  const played = new Map<string, string>();
  for (const { episode } of recordings) {
    const bytes = await server.recordings.read(handle.run, episode);
    const parts = await Promise.all(
      (['executed', 'selections', 'similarities'] as const).map((name) => readSection(bytes, name)),
    );
    expect(parts.every((part) => part.ok && (part.value?.length ?? 0) >= 80)).toBe(true);
    played.set(episode, JSON.stringify(parts.map((part) => (part.ok ? [...(part.value ?? [])] : part.error))));
  }
  return played;
}

describe('watching decisions', () => {
  it('changes none of them', async () => {
    const unwatched = await play();
    expect(unwatched.size).toBe(4);

    const page = new TestPage((server.url ?? '').replace('http', 'ws') + '/live');
    await once(page.socket, 'open');
    page.socket.on('message', () => {
      const event = page.events.at(-1);
      if (event !== undefined && 'number' in event) page.send({ type: 'acknowledge-policy', number: event.number });
    });
    page.send({ type: 'hello', protocol: PROTOCOL_VERSION });
    page.send({ type: 'subscribe', framesHz: 30 });
    await until('the welcome', () => page.count('snapshot') > 0);
    page.send({ type: 'watch-policy', key: 'worker-0:0', attention: { block: 1, head: 1 } });
    const watched = await play();
    expect(watched).toEqual(unwatched);

    const decision = page.last('decision');
    expect(decision).toMatchObject({ key: 'worker-0:0', blocks: 2, heads: 2, attended: { block: 1, head: 1 } });
    expect(page.count('decision')).toBeGreaterThan(1);
    const pool = page.last('pool');
    expect(pool.keys.shape).toEqual([8, 2]);
    expect(pool.tasks.every((task) => TASKS.includes(task))).toBe(true);
    page.socket.close();
  });
});
