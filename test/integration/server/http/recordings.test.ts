import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { sceneHash } from '../../../../server/live/scenes.ts';
import { readSection, recordingBytes } from '../../../../server/recordings/recording-file.ts';
import { sampleRecording } from '../../../unit/server/recordings/samples.ts';
import { openTestServer, type TestServer } from './test-server.ts';

const EPISODE = 'metaworld.reach-v3.0.1';
const url = `/api/runs/run-a/recordings/${EPISODE}`;

describe('recordings over HTTP', () => {
  let server: TestServer;
  let bytes: Buffer;

  beforeAll(async () => {
    server = await openTestServer({ tokens: { viewer: 'seeing', operator: 'doing' } });
    const { facts, sections } = sampleRecording();
    bytes = await recordingBytes(facts, sections);
    await server.recordings.library.add({ run: 'run-a', episode: EPISODE, bytes }, new Set());
  });
  afterAll(() => server.close());

  const ask = (address: string, token = 'seeing', headers: Record<string, string> = {}) =>
    server.api.inject({ url: address, headers: { authorization: `Bearer ${token}`, ...headers } });
  const remove = (address: string, token: string) =>
    server.api.inject({ method: 'DELETE', url: address, headers: { authorization: `Bearer ${token}` } });

  it('lists them with what is in their headers', async () => {
    const reply = await ask('/api/runs/run-a/recordings?task=metaworld/reach-v3');
    expect(reply.json()).toMatchObject({
      total: 1,
      bytes: bytes.length,
      recordings: [{ episode: EPISODE, outcome: 'success', pictures: 21, bytes: bytes.length }],
    });
    expect((await ask('/api/runs/run-z/recordings')).json()).toEqual({ total: 0, bytes: 0, recordings: [] });
  });

  it('gives one as it lies on the disk, and not twice to who has it', async () => {
    const reply = await ask(url);
    expect(reply.rawPayload).toEqual(bytes);
    const etag = String(reply.headers.etag);
    expect((await ask(url, 'seeing', { 'if-none-match': etag })).statusCode).toBe(304);
    expect((await ask(`${url}?scene=true`, 'seeing', { 'if-none-match': etag })).statusCode).toBe(503);
    expect((await ask('/api/runs/run-a/recordings/metaworld.reach-v3.9.1')).json()).toMatchObject({
      code: 'L2M_RECORDING_UNKNOWN',
    });
    expect((await ask('/api/runs/run-a/recordings/..%2f..%2fetc')).statusCode).toBe(400);
  });

  it('puts the geometry in if asked to', async () => {
    const [manifest, assets] = [Buffer.from('{"frames":[]}'), Buffer.from([1, 2, 3, 4])];
    const hash = sceneHash(manifest, assets);
    await server.recordings.scenes.take('metaworld/reach-v3', { hash, manifest, assets });
    const reply = await ask(`${url}?scene=true`);
    expect(reply.statusCode).toBe(200);
    expect(await readSection(reply.rawPayload, 'sceneManifest')).toMatchObject({
      ok: true,
      value: new Uint8Array(manifest),
    });
    expect(await readSection(reply.rawPayload, 'sceneAssets')).toMatchObject({
      ok: true,
      value: new Uint8Array(assets),
    });
    expect((await ask('/api/runs/run-a/recordings')).json()).toMatchObject({ recordings: [{ scene: hash }] });
  });

  it('is removed by operators only', async () => {
    expect((await remove(url, 'seeing')).statusCode).toBe(403);
    expect((await remove(url, 'doing')).json()).toEqual({ removed: 1 });
    expect((await remove(url, 'doing')).statusCode).toBe(404);
    expect((await remove('/api/runs/run-a/recordings', 'doing')).json()).toEqual({ removed: 0 });
  });
});
