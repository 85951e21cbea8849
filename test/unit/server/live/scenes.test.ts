import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import Fastify from 'fastify';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { sceneRoutes } from '../../../../server/live/scene-routes.ts';
import { sceneHash, SceneStore, type ScenePart } from '../../../../server/live/scenes.ts';

let directory: string;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'l2m-scenes-'));
});

afterEach(() => rm(directory, { recursive: true }));

function scene(content: string): ScenePart {
  const manifest = Buffer.from(`{"name":"${content}"}`);
  const assets = Buffer.from(content.repeat(100));
  return { hash: sceneHash(manifest, assets), manifest, assets };
}

test('the hash is the one that the Python exporter makes', () => {
  // scene_hash(b'{"format":1}', b"\x01\x02\x03") of sim_bridge.scene
  expect(sceneHash(Buffer.from('{"format":1}'), Uint8Array.of(1, 2, 3))).toBe(PYTHON_HASH);
});

const PYTHON_HASH = '4f185eccc44d688c83795205bc48f9fbd5a61e2e898f03d963629f7d10dde428';

describe('store', () => {
  test('finds a scene again after a restart', async () => {
    const part = scene('table');
    expect((await new SceneStore(directory).put(part)).ok).toBe(true);
    const found = await new SceneStore(directory).get(part.hash);
    expect(gunzipSync(found!.assets).toString()).toBe(Buffer.from(part.assets).toString());
    expect(await new SceneStore(directory).has(part.hash)).toBe(true);
    expect((await readdir(directory)).filter((name) => name.endsWith('.part'))).toEqual([]);
  });

  test('refuses bytes that do not match their hash', async () => {
    const store = new SceneStore(directory);
    const result = await store.put({ ...scene('a'), assets: Buffer.from('other') });
    expect(result.ok ? '' : result.error.code).toBe('L2M_MESSAGE_INVALID');
    expect(await readdir(directory)).toEqual([]);
  });

  test('holds the geometry of one episode in memory alone', async () => {
    const store = new SceneStore(directory);
    const part = scene('hills');
    expect((await store.hold(part)).ok).toBe(true);
    expect(gunzipSync((await store.get(part.hash))!.assets).toString()).toBe(Buffer.from(part.assets).toString());
    expect(await readdir(directory)).toEqual([]);
    expect((await store.hold({ ...part, assets: Buffer.from('other') })).ok).toBe(false);
  });

  test('never opens a path that a hash does not make', async () => {
    expect(await new SceneStore(directory).get('../../etc/passwd')).toBeUndefined();
  });

  test('works without a writable directory, for this life', async () => {
    await writeFile(join(directory, 'file'), '');
    const store = new SceneStore(join(directory, 'file', 'scenes'));
    const part = scene('a');
    expect((await store.put(part)).ok).toBe(true);
    expect(await store.get(part.hash)).toBeDefined();
  });

  test('keeps memory bounded and reads the rest from disk', async () => {
    const store = new SceneStore(directory, 1);
    const parts = ['a', 'b', 'c'].map(scene);
    for (const part of parts) await store.put(part);
    for (const part of parts) expect(await store.get(part.hash)).toBeDefined();
  });

  test('two workers that send the same scene at once do not disturb each other', async () => {
    const store = new SceneStore(directory);
    const part = scene('same');
    const results = await Promise.all([store.put(part), store.put(part), store.put(part)]);
    expect(results.every((result) => result.ok)).toBe(true);
  });
});

test('routes answer with content that may be cached for ever', async () => {
  const scenes = new SceneStore(directory);
  const part = scene('table');
  await scenes.put(part);
  const app = Fastify();
  await app.register(sceneRoutes, { scenes });
  const manifest = await app.inject({ url: `/scene/${part.hash}` });
  expect(manifest.json()).toEqual({ name: 'table' });
  expect(manifest.headers['cache-control']).toContain('immutable');
  const assets = await app.inject({ url: `/scene/${part.hash}/assets`, headers: { 'accept-encoding': 'gzip, br' } });
  expect(assets.headers['content-encoding']).toBe('gzip');
  expect(gunzipSync(assets.rawPayload).toString()).toBe(Buffer.from(part.assets).toString());
  const again = await app.inject({
    url: `/scene/${part.hash}/assets`,
    headers: { 'if-none-match': String(assets.headers.etag) },
  });
  expect(again.statusCode).toBe(304);
  const missing = await app.inject({ url: `/scene/${'0'.repeat(64)}` });
  expect(missing.statusCode).toBe(404);
  expect(missing.json()).toMatchObject({ code: 'L2M_SCENE_UNKNOWN' });
  expect((await app.inject({ url: '/scene/nonsense' })).statusCode).toBe(400);
  await app.close();
});
