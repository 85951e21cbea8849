import { readdir, readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Validator } from '@seriousme/openapi-schema-validator';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { L2mError } from '../../../../server/errors.ts';
import { errorEpisode, metaworldEpisode, newRun, scoredEpisode } from '../../../contract/server/store/builders.ts';
import { openTestServer, type TestServer } from './test-server.ts';

let server: TestServer;

beforeEach(async () => {
  server = await openTestServer();
});

afterEach(async () => {
  await server.close();
});

type Json = Record<string, unknown>;

async function get(url: string): Promise<{ status: number; body: Json }> {
  const reply = await server.api.inject({ method: 'GET', url });
  return { status: reply.statusCode, body: reply.json() };
}

async function post(url: string, payload: unknown): Promise<{ status: number; body: Json }> {
  const reply = await server.api.inject({ method: 'POST', url, payload: payload as object });
  return { status: reply.statusCode, body: reply.json() };
}

async function storeOneRun(): Promise<void> {
  await server.store.createRun(newRun('run-a'));
  await server.store.recordEpisode(metaworldEpisode('run-a', { start: 0 }));
  await server.store.recordEpisode(
    metaworldEpisode('run-a', { start: 1, successes: Uint8Array.from([0, 0]), length: 2 }),
  );
  await server.store.recordEpisode(errorEpisode('run-a', { start: 2 }));
  await server.store.recordEpisode(scoredEpisode('run-a', { return: 800 }));
  await server.store.updateRun('run-a', { state: 'finished' });
}

describe('status', () => {
  it('lives', async () => {
    const { status, body } = await get('/api/health');
    expect(status).toBe(200);
    expect(body).toMatchObject({ status: 'alive', version: '0.1.0' });
  });

  it('is ready, degraded with reasons, or not ready', async () => {
    expect(await get('/api/ready')).toEqual({ status: 200, body: { state: 'ready', reasons: [] } });
    server.readiness = { state: 'degraded', reasons: ['1 of 2 workers'] };
    expect(await get('/api/ready')).toEqual({ status: 200, body: { state: 'degraded', reasons: ['1 of 2 workers'] } });
    server.readiness = { state: 'unready', reasons: ['the model is loading'] };
    expect(await get('/api/ready')).toEqual({
      status: 503,
      body: { state: 'unready', reasons: ['the model is loading'] },
    });
  });

  it('lists known and hosted tasks, with sizes once described, and groups', async () => {
    const { body } = await get('/api/tasks');
    const tasks = body['tasks'] as Json[];
    expect(tasks.find(({ task }) => task === 'metaworld/reach-v3')).toEqual({
      task: 'metaworld/reach-v3',
      domain: 'metaworld',
      hosted: true,
      observationSize: 39,
      actionSize: 4,
    });
    expect(tasks.find(({ task }) => task === 'dmcontrol/walker-walk')).toMatchObject({
      hosted: false,
      actionSize: null,
    });
    expect(tasks.find(({ task }) => task === 'metaworld/invented-v3')).toMatchObject({ hosted: true });
    expect((body['groups'] as Json)['MT10']).toHaveLength(10);
  });

  it('lists workers', async () => {
    expect((await get('/api/workers')).body['workers']).toMatchObject([{ worker: 'w1', state: 'ready' }]);
  });

  it('gives Prometheus its figures', async () => {
    server.telemetry.metrics.steps.inc(7);
    const reply = await server.api.inject('/metrics');
    expect(reply.headers['content-type']).toContain('text/plain; version=0.0.4');
    expect(reply.body).toContain('l2m_steps_total 7');
  });
});

describe('runs', () => {
  beforeEach(storeOneRun);

  it('lists runs in pages', async () => {
    const { body } = await get('/api/runs?limit=1');
    expect(body).toMatchObject({
      total: 1,
      runs: [{ run: 'run-a', state: 'finished', plannedEpisodes: 6, finishedEpisodes: 3, errorEpisodes: 1 }],
    });
    expect((await get('/api/runs?offset=1')).body['runs']).toEqual([]);
  });

  it('gives one run whole', async () => {
    const { body } = await get('/api/runs/run-a');
    expect(body).toMatchObject({
      run: { configuration: { workers: 2, nested: { text: 'quote \' and "' } }, provenance: { gitCommit: null } },
      scores: [{ task: 'metaworld/reach-v3', finished: 2, errors: 1 }, { task: 'dmcontrol/walker-walk' }],
      live: null,
    });
  });

  it('gives episodes in pages and by filter', async () => {
    expect((await get('/api/runs/run-a/episodes')).body['total']).toBe(4);
    const { body } = await get('/api/runs/run-a/episodes?outcome=error&task=metaworld/reach-v3&limit=5');
    expect(body).toMatchObject({ total: 1, episodes: [{ start: 2, errorCode: 'L2M_SIMULATOR_FAULT' }] });
  });

  it('gives scores with both success rates', async () => {
    const { body } = await get('/api/runs/run-a/scores');
    expect(body).toMatchObject({ run: 'run-a', state: 'finished', meanSuccessAnyTime: 0.5, meanSuccessAtEnd: 0.5 });
    expect((body['scores'] as Json[])[0]).toMatchObject({ successAnyTime: { successes: 1, episodes: 2, rate: 0.5 } });
  });

  it('gives training curves', async () => {
    await server.store.recordMetrics('run-a', [{ step: 1, name: 'loss', value: 0.5 }]);
    expect((await get('/api/runs/run-a/metrics?name=loss')).body).toEqual({
      points: [{ step: 1, name: 'loss', value: 0.5 }],
    });
  });

  it('exports in every format and leaves no file behind', async () => {
    const leftovers = async (): Promise<string[]> =>
      (await readdir(tmpdir())).filter((name) => name.startsWith('l2m-export-'));
    const before = await leftovers();
    const json = await server.api.inject('/api/runs/run-a/export');
    expect(json.headers['content-type']).toContain('application/json');
    expect(json.headers['content-disposition']).toBe('attachment; filename="run-a.json"');
    expect(json.json()).toMatchObject({ run: { run: 'run-a' }, episodes: [{}, {}, {}, {}] });
    const csv = await server.api.inject('/api/runs/run-a/export?format=csv');
    expect(csv.body.trim().split('\n')).toHaveLength(5);
    const parquet = await server.api.inject('/api/runs/run-a/export?format=parquet');
    expect(parquet.rawPayload.subarray(0, 4).toString()).toBe('PAR1');
    await expect.poll(leftovers).toEqual(before);
  });

  it('names the nearest run wherever one does not exist', async () => {
    for (const tail of ['', '/episodes', '/scores', '/metrics', '/export']) {
      const { status, body } = await get(`/api/runs/run-b${tail}`);
      expect(status).toBe(404);
      expect(body).toMatchObject({ code: 'L2M_RUN_UNKNOWN', hint: expect.stringContaining('run-a') as string });
    }
  });
});

describe('control', () => {
  it('starts an evaluation with defaults filled in and shows it live', async () => {
    const { status, body } = await post('/api/runs', { tasks: ['MT10'], episodes: 3 });
    expect(status).toBe(202);
    expect(body).toMatchObject({ run: 'run-live', state: 'running', stepsPerSecond: 5.5 });
    expect(server.runs.started).toEqual({
      tasks: ['MT10'],
      episodes: 3,
      protocol: 'official-v3',
      seed: 42,
      policy: 'checkpoint',
    });
    expect((await get('/api/runs/run-live')).body).toMatchObject({ live: { steps: 10 }, run: { redoneEpisodes: 2 } });
    expect((await get('/api/runs/run-live/scores')).body).toMatchObject({ state: 'running' });
  });

  it('pauses, resumes and stops', async () => {
    await post('/api/runs', { tasks: ['MT10'] });
    expect((await post('/api/runs/run-live/control', { action: 'pause' })).body['state']).toBe('paused');
    expect((await get('/api/runs')).body['runs']).toMatchObject([{ state: 'paused' }]);
    expect((await post('/api/runs/run-live/control', { action: 'resume' })).body['state']).toBe('running');
    const again = await post('/api/runs/run-live/control', { action: 'resume' });
    expect(again).toMatchObject({ status: 409, body: { code: 'L2M_RUN_STATE' } });
    expect((await post('/api/runs/run-live/control', { action: 'stop' })).body['state']).toBe('stopped');
    expect(await post('/api/runs/nope/control', { action: 'stop' })).toMatchObject({ status: 404 });
  });
});

describe('errors', () => {
  it('says which part of a request is wrong, and suggests', async () => {
    const cases: [unknown, RegExp][] = [
      [{ tasks: ['MT10'], episode: 3 }, /body has no "episode", did you mean episodes\?/],
      [{}, /must have required property 'tasks'/],
      [{ tasks: [] }, /body\.tasks must NOT have fewer than 1 items/],
      [{ tasks: ['MT10'], episodes: 0 }, /body\.episodes must be >= 1/],
      [{ tasks: ['MT10'], seed: -1 }, /body\.seed/],
      [{ tasks: ['MT10'], protocol: 'v2' }, /body\.protocol/],
    ];
    for (const [payload, message] of cases) {
      const { status, body } = await post('/api/runs', payload);
      expect(status).toBe(400);
      expect(body).toMatchObject({ code: 'L2M_REQUEST_INVALID', message: expect.stringMatching(message) as string });
      expect(body).not.toHaveProperty('correlationId');
    }
    expect(await get('/api/runs?limit=0')).toMatchObject({ status: 400, body: { code: 'L2M_REQUEST_INVALID' } });
    expect(await get('/api/runs?limits=1')).toMatchObject({ status: 400 });
    expect(await get("/api/runs/x'%20OR%201=1")).toMatchObject({ status: 400 });
  });

  it('refuses what is not JSON, not sent as JSON, or too large', async () => {
    const send = async (payload: string, type: string): Promise<[number, unknown]> => {
      const headers = { 'content-type': type };
      const reply = await server.api.inject({ method: 'POST', url: '/api/runs', payload, headers });
      return [reply.statusCode, reply.json<Json>()['code']];
    };
    expect(await send('{"tasks":', 'application/json')).toEqual([400, 'L2M_REQUEST_INVALID']);
    expect(await send('', 'application/json')).toEqual([400, 'L2M_REQUEST_INVALID']);
    expect(await send('{"tasks":["MT10"]}', 'text/plain')).toEqual([415, 'L2M_REQUEST_INVALID']);
    expect(await send(`{"tasks":["${'x'.repeat(70_000)}"]}`, 'application/json')).toEqual([413, 'L2M_REQUEST_INVALID']);
    expect(await send('{"__proto__":{"x":1},"tasks":["MT10"]}', 'application/json')).toEqual([
      400,
      'L2M_REQUEST_INVALID',
    ]);
  });

  it('suggests an address and names the methods it takes', async () => {
    expect(await get('/api/run')).toMatchObject({
      status: 404,
      body: { code: 'L2M_ROUTE_UNKNOWN', hint: expect.stringContaining('Did you mean /api/runs?') as string },
    });
    expect(await get('/nowhere/at/all')).toMatchObject({ status: 404, body: { code: 'L2M_ROUTE_UNKNOWN' } });
    const wrong = await server.api.inject({ method: 'GET', url: '/api/runs/run-a/control' });
    expect([wrong.statusCode, wrong.headers.allow]).toEqual([405, 'POST']);
  });

  it('passes the errors of the server on with their codes', async () => {
    const cases = [
      ['L2M_TASK_UNKNOWN', 422],
      ['L2M_CHECKPOINT_INVALID', 422],
      ['L2M_RUN_MISMATCH', 409],
      ['L2M_AGENT_LOST', 503],
      ['L2M_WORKER_BUDGET', 500],
      ['L2M_STORE_UNWRITABLE', 507],
    ] as const;
    for (const [code, expected] of cases) {
      server.runs.failWith = new L2mError(code, 'the cause');
      const { status, body } = await post('/api/runs', { tasks: ['MT10'] });
      expect([status, body['code']]).toEqual([expected, code]);
      expect(body['message']).toContain('the cause');
    }
  });

  it('tells a caller nothing of an internal failure but where to look', async () => {
    server.runs.failWith = new Error('secret path /home/me');
    const { status, body } = await post('/api/runs', { tasks: ['MT10'] });
    expect(status).toBe(500);
    expect(body).toMatchObject({
      code: 'L2M_INTERNAL',
      correlationId: expect.stringMatching(/^[0-9a-f]{10}$/) as string,
    });
    expect(JSON.stringify(body)).not.toContain('secret');
    const log = await readFile(join(server.directory, 'server.log'), 'utf8');
    const line = log.split('\n').find((text) => text.includes(String(body['correlationId'])));
    expect(line).toContain('secret path /home/me');
    expect(line).toContain('"route":"/api/runs"');
  });
});

describe('OpenAPI', () => {
  it('is a valid document that lists every route of the API', async () => {
    await server.api.ready();
    const document = server.api.swagger();
    const result = await new Validator().validate(structuredClone(document) as unknown as Record<string, unknown>);
    expect(result.errors ?? []).toEqual([]);
    expect(result.valid).toBe(true);
    const listed = Object.entries((document.paths ?? {}) as Record<string, object>).flatMap(([path, item]) =>
      Object.keys(item).map((method) => `${method.toUpperCase()} ${path}`),
    );
    expect(listed.sort()).toEqual([
      'DELETE /api/runs/{run}/recordings',
      'DELETE /api/runs/{run}/recordings/{episode}',
      'GET /api/compare',
      'GET /api/continual',
      'GET /api/data',
      'GET /api/health',
      'GET /api/ready',
      'GET /api/runs',
      'GET /api/runs/{run}',
      'GET /api/runs/{run}/episodes',
      'GET /api/runs/{run}/export',
      'GET /api/runs/{run}/metrics',
      'GET /api/runs/{run}/recordings',
      'GET /api/runs/{run}/recordings/{episode}',
      'GET /api/runs/{run}/scores',
      'GET /api/tasks',
      'GET /api/workers',
      'GET /metrics',
      'POST /api/runs',
      'POST /api/runs/{run}/control',
      'POST /api/runs/{run}/recordings/{episode}/poses',
    ]);
  });

  it('is shown by a page whose every file comes from this server', async () => {
    const page = await server.api.inject('/docs/');
    expect(page.statusCode).toBe(200);
    const links = [...page.body.matchAll(/(?:src|href)="([^"]+)"/g)].map((match) => match[1] ?? '');
    expect(links.length).toBeGreaterThan(3);
    for (const link of links) {
      const url = new URL(link, 'http://localhost/docs/');
      expect(url.host).toBe('localhost');
      expect((await server.api.inject(url.pathname)).statusCode).toBe(200);
    }
  });
});
