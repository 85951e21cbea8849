import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { networkInterfaces, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { listen } from '../../../../server/http/listen.ts';
import { openTestServer, type TestServer } from './test-server.ts';

const tokens = { viewer: 'v'.repeat(16), operator: 'o'.repeat(16), worker: 'w'.repeat(16), admin: 'a'.repeat(16) };
let server: TestServer | undefined;

afterEach(async () => {
  await server?.close();
  server = undefined;
});

type Method = 'GET' | 'POST';

async function status(method: Method, url: string, headers: Record<string, string> = {}): Promise<number> {
  const payload = method === 'POST' ? { tasks: ['MT10'] } : undefined;
  const reply = await server?.api.inject({ method, url, headers, ...(payload === undefined ? {} : { payload }) });
  return reply?.statusCode ?? 0;
}

describe('with tokens', () => {
  it('asks every route of the API but health and readiness for a role', async () => {
    server = await openTestServer({ tokens });
    await server.api.ready();
    for (const [path, item] of Object.entries((server.api.swagger().paths ?? {}) as Record<string, object>)) {
      for (const method of Object.keys(item)) {
        const url = path.replace('{run}', 'run-a');
        const open = url === '/api/health' || url === '/api/ready';
        const got = await status(method.toUpperCase() as Method, url);
        expect([method, url, got]).toEqual([method, url, open ? 200 : 401]);
      }
    }
  });

  it('lets each role do what it may', async () => {
    server = await openTestServer({ tokens });
    const as = (role: keyof typeof tokens): Record<string, string> => ({ authorization: `Bearer ${tokens[role]}` });
    expect(await status('GET', '/api/runs', as('viewer'))).toBe(200);
    expect(await status('GET', '/metrics', as('viewer'))).toBe(200);
    expect(await status('POST', '/api/runs', as('viewer'))).toBe(403);
    expect(await status('GET', '/api/runs', as('worker'))).toBe(403);
    expect(await status('POST', '/api/runs', as('operator'))).toBe(202);
    expect(await status('GET', '/api/runs', as('admin'))).toBe(200);
    const refused = await server.api.inject({ method: 'POST', url: '/api/runs', headers: as('viewer') });
    expect(refused.json()).toMatchObject({ code: 'L2M_ROLE_INSUFFICIENT' });
    expect((await server.api.inject('/api/runs')).json()).toMatchObject({ code: 'L2M_TOKEN_REFUSED' });
  });

  it('refuses before it looks at anything else of the request', async () => {
    server = await openTestServer({ tokens });
    const reply = await server.api.inject({
      method: 'POST',
      url: '/api/runs',
      payload: '{bad',
      headers: { 'content-type': 'x/y' },
    });
    expect(reply.statusCode).toBe(401);
  });

  it('keeps routes below /api that name no role for the admin', async () => {
    server = await openTestServer({ tokens });
    server.api.get('/api/added-later', () => 'secret');
    expect(await status('GET', '/api/added-later', { authorization: `Bearer ${tokens.operator}` })).toBe(403);
    expect(await status('GET', '/api/added-later', { authorization: `Bearer ${tokens.admin}` })).toBe(200);
  });
});

describe('without tokens', () => {
  it('lets no other site act through a browser', async () => {
    server = await openTestServer();
    const foreign = { host: 'localhost:8650', origin: 'https://evil.example' };
    expect(await status('POST', '/api/runs', foreign)).toBe(403);
    expect(await status('POST', '/api/runs', { host: 'localhost:8650', origin: 'null' })).toBe(403);
    expect(await status('POST', '/api/runs', { host: 'localhost:8650', origin: 'http://localhost:8650' })).toBe(202);
  });

  it('answers under no name that could be made to point here', async () => {
    server = await openTestServer({ allowedHosts: ['robot.lan'] });
    for (const host of ['evil.example', 'evil.example:8650', 'localhost.evil.example', 'a b']) {
      expect([host, await status('GET', '/api/runs', { host })]).toEqual([host, 403]);
    }
    for (const host of ['localhost', 'localhost:1', '127.0.0.1:8650', '[::1]:8650', 'robot.lan:80']) {
      expect([host, await status('GET', '/api/runs', { host })]).toEqual([host, 200]);
    }
  });

  it('changes nothing over GET', async () => {
    server = await openTestServer();
    expect(await status('GET', '/api/runs/run-a/control?action=stop')).toBe(405);
    expect(server.runs.list()).toEqual([]);
  });
});

describe('listen', () => {
  it('refuses an address beyond this machine without tokens, and takes it with them', async () => {
    const outside = Object.values(networkInterfaces())
      .flat()
      .find((each) => each?.internal === false)?.address;
    server = await openTestServer({ tokens });
    for (const host of ['0.0.0.0', '::', outside ?? '192.0.2.1']) {
      await expect(listen(server.api, { host, port: 0, tokens: {} })).rejects.toMatchObject({
        code: 'L2M_ADDRESS_UNSAFE',
      });
    }
    const url = await listen(server.api, { host: '0.0.0.0', port: 0, tokens });
    expect(url).toMatch(/^http:\/\/localhost:\d+$/);
    expect((await fetch(`${url}/api/health`)).status).toBe(200);
    expect((await fetch(`${url}/api/runs`)).status).toBe(401);
  });

  it('says so when the port is taken or the address is not of this machine', async () => {
    const other = createServer();
    await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve));
    const taken = other.address();
    const port = typeof taken === 'object' && taken !== null ? taken.port : 0;
    server = await openTestServer();
    await expect(listen(server.api, { host: '127.0.0.1', port, tokens: {} })).rejects.toMatchObject({
      code: 'L2M_ADDRESS_UNAVAILABLE',
      message: expect.stringContaining(`127.0.0.1:${port}`) as string,
    });
    await new Promise((resolve) => other.close(resolve));
    const elsewhere = await openTestServer({ tokens });
    await expect(listen(elsewhere.api, { host: '192.0.2.1', port: 0, tokens })).rejects.toMatchObject({
      code: 'L2M_ADDRESS_UNAVAILABLE',
    });
    await elsewhere.close();
  });

  it('closes with a request under way and a connection kept open', async () => {
    server = await openTestServer();
    const url = await listen(server.api, { host: '127.0.0.1', port: 0, tokens: {} });
    await (await fetch(`${url}/api/health`)).text();
    const begun = performance.now();
    await server.close();
    server = undefined;
    expect(performance.now() - begun).toBeLessThan(2000);
  });
});

describe('page', () => {
  it('says how to build it while it is not built', async () => {
    server = await openTestServer();
    const reply = await server.api.inject('/');
    expect(reply.statusCode).toBe(200);
    expect(reply.headers['content-type']).toContain('text/html');
    expect(reply.body).toContain('npm run build');
  });

  it('is served with headers that let hashed files stay and nothing else', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'l2m-page-'));
    const dashboard = join(folder, 'dist');
    await mkdir(join(dashboard, 'assets'), { recursive: true });
    await writeFile(join(dashboard, 'index.html'), '<!doctype html><title>l2m</title>');
    await writeFile(join(dashboard, 'assets', 'main-abc123.js'), 'export {};');
    await writeFile(join(folder, 'outside.txt'), 'outside');
    server = await openTestServer({ dashboard });
    const index = await server.api.inject('/');
    expect(index.body).toContain('<title>l2m</title>');
    expect(index.headers).toMatchObject({ 'cache-control': 'no-cache', 'x-content-type-options': 'nosniff' });
    const script = await server.api.inject('/assets/main-abc123.js');
    expect(script.headers['cache-control']).toContain('immutable');
    expect(script.headers['content-type']).toContain('javascript');
    expect((await server.api.inject('/assets/missing.js')).json()).toMatchObject({ code: 'L2M_ROUTE_UNKNOWN' });
    for (const path of ['/../outside.txt', '/%2e%2e/outside.txt', '/assets/../../outside.txt', '/..%5coutside.txt']) {
      expect((await server.api.inject(path)).statusCode).toBeGreaterThanOrEqual(400);
    }
    await rm(folder, { recursive: true });
  });
});
