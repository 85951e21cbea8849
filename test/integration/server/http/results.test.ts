import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { metaworldEpisode, newRun, scoredEpisode } from '../../../contract/server/store/builders.ts';
import { openTestServer, type TestServer } from './test-server.ts';

let server: TestServer;

beforeEach(async () => {
  server = await openTestServer();
});

afterEach(() => server.close());

type Json = Record<string, unknown>;

async function get(url: string): Promise<{ status: number; body: Json }> {
  const reply = await server.api.inject({ method: 'GET', url });
  return { status: reply.statusCode, body: reply.json() };
}

/** @param outcomes one character a start; `S` is a success at the end */
async function store(run: string, outcomes: string, change: Parameters<typeof newRun>[1] = {}): Promise<void> {
  await server.store.createRun(newRun(run, change));
  for (const [start, letter] of Array.from(outcomes).entries()) {
    const successes = Uint8Array.from(letter === 'S' ? [0, 1] : [0, 0]);
    await server.store.recordEpisode(metaworldEpisode(run, { start, successes, length: 2, return: start }));
  }
}

describe('comparing runs', () => {
  beforeEach(async () => {
    await store('run-a', '....S.');
    await store('run-b', 'SSSSS.', { policy: 'other' });
    await store('run-c', 'SS', { seed: 7 });
  });

  it('pairs episodes of equal starts and names what cannot be paired', async () => {
    const { status, body } = await get('/api/compare?runs=run-a,run-b,run-c');
    expect(status).toBe(200);
    expect(body['runs']).toMatchObject([
      { run: 'run-a', unpaired: '' },
      { run: 'run-b', policy: 'other', unpaired: '' },
      { run: 'run-c', unpaired: 'seed 7, not 42' },
    ]);
    const overall = body['overall'] as Json[];
    expect(overall[1]).toMatchObject({
      successAtEnd: { successes: 5, episodes: 6 },
      pairedAtEnd: { both: 1, gained: 4, lost: 0, neither: 1, pValue: 0.125 },
    });
    expect(overall[2]).toMatchObject({ pairedAtEnd: null });
  });

  it('refuses one run, the same run twice, and an unknown one with the nearest name', async () => {
    expect(await get('/api/compare?runs=run-a')).toMatchObject({ status: 400, body: { code: 'L2M_REQUEST_INVALID' } });
    expect(await get('/api/compare?runs=run-a,run-a')).toMatchObject({
      status: 400,
      body: { code: 'L2M_REQUEST_INVALID', message: expect.stringContaining('run-a is given twice') as string },
    });
    expect(await get('/api/compare?runs=run-a,run-bb')).toMatchObject({
      status: 404,
      body: { code: 'L2M_RUN_UNKNOWN', message: expect.stringContaining('run-b') as string },
    });
  });
});

describe('the list of runs', () => {
  beforeEach(async () => {
    await store('run-a', 'SS..');
    await server.store.updateRun('run-a', { state: 'finished' });
    await store('run-b', 'SSS.', { policy: 'Careful' });
    await server.store.createRun(newRun('train', { kind: 'pretrain', protocol: null, policy: 'learner', tasks: [] }));
    await server.store.recordEpisode(scoredEpisode('run-b', { return: 800 }));
  });

  const names = async (query: string) =>
    ((await get(`/api/runs?${query}`)).body['runs'] as Json[]).map((run) => String(run['run']));

  it('carries what a table of successes needs', async () => {
    const { body } = await get('/api/runs?text=careful');
    expect(body).toMatchObject({
      total: 1,
      runs: [{ run: 'run-b', finishedEpisodes: 5, judgedEpisodes: 4, successesAnyTime: 3, successesAtEnd: 3 }],
    });
  });

  it('is filtered by text in any column, kind and state', async () => {
    expect(await names('text=WALKER')).toEqual(['run-b', 'run-a']);
    expect(await names('kind=pretrain')).toEqual(['train']);
    expect(await names('state=finished')).toEqual(['run-a']);
    expect(await names("text='; DROP TABLE runs; --")).toEqual([]);
    expect((await get('/api/runs?kind=nothing')).status).toBe(400);
  });

  it('is sorted by a column in either order, runs without the value last', async () => {
    expect(await names('sort=successAtEnd')).toEqual(['run-b', 'run-a', 'train']);
    expect(await names('sort=successAtEnd&order=ascending')).toEqual(['run-a', 'run-b', 'train']);
    expect(await names('sort=policy&order=ascending')).toEqual(['run-b', 'train', 'run-a']);
    expect(await names('sort=episodes&limit=1&offset=1')).toEqual(['run-a']);
    expect((await get('/api/runs?sort=password')).status).toBe(400);
  });
});

describe('training curves', () => {
  beforeEach(async () => {
    await server.store.createRun(newRun('train', { kind: 'pretrain', protocol: null, tasks: [] }));
    const points = Array.from({ length: 1000 }, (_, step) => [
      { step, name: 'loss', value: 1000 - step },
      { step, name: 'rate', value: 1 },
    ]);
    await server.store.recordMetrics('train', points.flat());
  });

  it('come thinned to means of equal stretches, the last value as it is', async () => {
    const { body } = await get('/api/runs/train/metrics?most=100');
    const points = body['points'] as { name: string; step: number; value: number }[];
    const loss = points.filter(({ name }) => name === 'loss');
    expect(loss.length).toBeLessThanOrEqual(101);
    expect(loss[0]?.value).toBeCloseTo(995.5, 6);
    expect(loss.at(-1)).toEqual({ name: 'loss', step: 999, value: 1 });
    expect(points.filter(({ name }) => name === 'rate').every(({ value }) => value === 1)).toBe(true);
  });

  it('come whole where no limit is given', async () => {
    expect(((await get('/api/runs/train/metrics?name=loss')).body['points'] as Json[]).length).toBe(1000);
  });
});
