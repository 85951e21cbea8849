import { once } from 'node:events';
import { request } from 'node:http';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { PROTOCOL_VERSION } from '../../../protocol/version.ts';
import type { LiveServer } from '../../../server/build-server.ts';
import type { ServerConfig } from '../../../server/config-schema.ts';
import { liveServer, shortRun, temporaryFolder } from '../../support/live-server.ts';
import { TestPage } from '../../support/test-page.ts';

const TOKENS = { viewer: 'v'.repeat(20), operator: 'o'.repeat(20), admin: 'a'.repeat(20), worker: 'w'.repeat(20) };
const clean: (() => unknown)[] = [];
afterEach(async () => {
  for (const each of clean.splice(0).reverse()) await each();
});

async function served(settings: Partial<ServerConfig>): Promise<LiveServer & { url: string }> {
  const server = await liveServer(settings, { serve: true });
  clean.push(() => server.close());
  const { url } = server;
  if (url === undefined) throw new Error('the server serves no page');
  return { ...server, url };
}

async function servedWithTokens(): Promise<LiveServer & { url: string }> {
  const folder = temporaryFolder();
  clean.push(folder.remove);
  const file = join(folder.path, 'tokens.json');
  writeFileSync(file, JSON.stringify(TOKENS));
  return served({ tokens: file });
}

async function page(url: string, token?: string): Promise<TestPage> {
  const opened = new TestPage(`${url.replace('http', 'ws').replace(/\/$/, '')}/live`);
  clean.push(() => opened.socket.terminate());
  await once(opened.socket, 'open');
  opened.send({ type: 'hello', protocol: PROTOCOL_VERSION, ...(token === undefined ? {} : { token }) });
  return opened;
}

function control(url: string, action: string, token: string): Promise<Response> {
  const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
  return fetch(url, { method: 'POST', headers, body: JSON.stringify({ action }) });
}

/** Status of the page when it is asked for under a host name, as a browser does behind a proxy. */
function statusUnder(url: string, host: string): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    const asked = request(url, { headers: { host } }, (reply) => {
      reply.resume();
      resolve(reply.statusCode);
    });
    asked.on('error', reject).end();
  });
}

describe('the whole server with tokens', () => {
  it('lets a viewer see a run and only an operator or admin control it, by page and by HTTP', async () => {
    const { url, runs } = await servedWithTokens();
    const handle = await runs.start(shortRun({ episodes: 50, horizon: 400 }));
    const state = (): string => handle.summary().state;

    const viewer = await page(url, TOKENS.viewer);
    viewer.send({ type: 'subscribe', framesHz: 5 });
    await vi.waitFor(() => expect(viewer.last('snapshot').runs[0]?.run).toBe(handle.run), 5000);
    viewer.send({ type: 'control', run: handle.run, action: 'pause' });
    await vi.waitFor(() => expect(viewer.last('notice').text).toContain('this page has the role viewer'), 5000);
    expect((await control(`${url}/api/runs/${handle.run}/control`, 'pause', TOKENS.viewer)).status).toBe(403);
    expect(state()).toBe('running');

    const operator = await page(url, TOKENS.operator);
    operator.send({ type: 'control', run: handle.run, action: 'pause' });
    await vi.waitFor(() => expect(state()).toBe('paused'), 5000);
    const admin = await page(url, TOKENS.admin);
    admin.send({ type: 'control', run: handle.run, action: 'resume' });
    await vi.waitFor(() => expect(state()).toBe('running'), 5000);
    expect((await control(`${url}/api/runs/${handle.run}/control`, 'stop', TOKENS.operator)).ok).toBe(true);
    expect((await handle.over).state).toBe('stopped');
  });

  it('shows nothing to somebody without a token, with a wrong one, or with a worker’s', async () => {
    const { url } = await servedWithTokens();
    for (const token of [undefined, 'x'.repeat(20), TOKENS.worker]) {
      const stranger = await page(url, token);
      await vi.waitFor(() => expect(stranger.closeCode).toBe(4003), 5000);
      expect(stranger.count('snapshot')).toBe(0);
    }
  });
});

describe('the whole server without tokens', () => {
  it('answers under localhost and the host names it was given, and under no other', async () => {
    const { url } = await served({ allowedHosts: 'robots.example' });
    const port = new URL(url).port;
    expect(await statusUnder(`${url}/api/health`, `localhost:${port}`)).toBe(200);
    expect(await statusUnder(`${url}/api/health`, `robots.example:${port}`)).toBe(200);
    expect(await statusUnder(`${url}/api/health`, `evil.example:${port}`)).toBe(403);
  });
});
