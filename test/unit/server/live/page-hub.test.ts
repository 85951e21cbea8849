import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { wireError } from '../../../../protocol/error-codes.ts';
import { failure, success } from '../../../../protocol/result.ts';
import { PROTOCOL_VERSION } from '../../../../protocol/version.ts';
import { createPageHub, type PageHub, type PageHubOptions } from '../../../../server/live/page-hub.ts';
import { TestPage } from '../../../support/test-page.ts';
import { environmentView, runSummary, stepView } from './samples.ts';

let server: Server;
let hub: PageHub;
const pages: TestPage[] = [];
const controls: string[] = [];
const rates: number[] = [];

async function start(overrides: Partial<PageHubOptions> = {}): Promise<void> {
  server = createServer();
  hub = createPageHub({
    serverId: 'server-1',
    onControl: (run, action) => {
      controls.push(`${action} ${run}`);
      return run === 'run-1' ? success(undefined) : failure(wireError('L2M_RUN_UNKNOWN', run));
    },
    onPosesHz: (hz) => rates.push(hz),
    ...overrides,
  });
  hub.attach(server);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
}

function connect(headers: Record<string, string> = {}, path = '/live'): TestPage {
  const page = new TestPage(`ws://127.0.0.1:${(server.address() as AddressInfo).port}${path}`, headers);
  pages.push(page);
  return page;
}

async function open(framesHz = 30, token?: string): Promise<TestPage> {
  const page = connect();
  await once(page.socket, 'open');
  page.send({ type: 'hello', protocol: PROTOCOL_VERSION, ...(token === undefined ? {} : { token }) });
  page.send({ type: 'subscribe', framesHz });
  await vi.waitFor(() => expect(page.count('snapshot')).toBe(1));
  return page;
}

beforeEach(() => {
  controls.length = 0;
  rates.length = 0;
});

afterEach(async () => {
  for (const page of pages.splice(0)) page.socket.terminate();
  await hub.close();
  server.close();
});

test('an echo comes back at once with its stamp, and says how many pictures this page was too busy for', async () => {
  await start();
  hub.episodeStarted(environmentView('w:0'));
  const page = await open();
  page.send({ type: 'echo', stamp: 17.25 });
  await vi.waitFor(() => expect(page.last('echoed')).toMatchObject({ stamp: 17.25, skippedFrames: 0 }));
  page.acknowledges = false;
  await vi.waitFor(() => {
    hub.step('w:0', stepView(Math.ceil(performance.now())));
    page.send({ type: 'echo', stamp: 18 });
    expect(page.last('echoed').skippedFrames).toBeGreaterThan(0);
  });
});

describe('handshake', () => {
  test('welcome, then the whole present state', async () => {
    await start();
    hub.runUpdated(runSummary('run-1'));
    hub.episodeStarted(environmentView('w:0'));
    hub.notice('error', 'worker w-1 was lost');
    const page = await open();
    expect(page.events.map((event) => event.type).slice(0, 3)).toEqual(['welcome', 'snapshot', 'notice']);
    expect(page.last('welcome')).toMatchObject({ serverId: 'server-1', role: 'operator' });
    expect(page.last('snapshot').runs[0]?.run).toBe('run-1');
    expect(page.last('snapshot').environments[0]?.key).toBe('w:0');
  });

  test('another version is refused with a reason', async () => {
    await start();
    const page = connect();
    await once(page.socket, 'open');
    page.send({ type: 'hello', protocol: { major: PROTOCOL_VERSION.major + 1, minor: 0 } });
    await vi.waitFor(() => expect(page.closeCode).toBe(4005));
    expect(page.last('refused').code).toBe('L2M_VERSION_REFUSED');
  });

  test('a wrong token is refused, the right one gives its role', async () => {
    await start({ tokens: { viewer: 'see', operator: 'do' } });
    const stranger = connect();
    await once(stranger.socket, 'open');
    stranger.send({ type: 'hello', protocol: PROTOCOL_VERSION, token: 'guess' });
    await vi.waitFor(() => expect(stranger.closeCode).toBe(4003));
    expect((await open(30, 'see')).last('welcome').role).toBe('viewer');
    expect((await open(30, 'do')).last('welcome').role).toBe('operator');
  });

  test('a page of another origin, another path, and garbage get nowhere', async () => {
    await start();
    const foreign = connect({ origin: 'http://evil.example' });
    const elsewhere = connect({}, '/other');
    await vi.waitFor(() => expect([foreign.closeCode, elsewhere.closeCode]).toEqual([1006, 1006]));
    const rude = connect();
    await once(rude.socket, 'open');
    rude.socket.send(Buffer.from('not a message'));
    await vi.waitFor(() => expect(rude.closeCode).toBe(1008));
    expect(rude.last('refused').code).toMatch(/^L2M_FRAME_/);
    const early = connect();
    await once(early.socket, 'open');
    early.send({ type: 'subscribe', framesHz: 60 });
    await vi.waitFor(() => expect(early.closeCode).toBe(1008));
    expect(early.last('refused').code).toBe('L2M_MESSAGE_UNEXPECTED');
    expect(hub.viewers()).toBe(0);
  });

  test('a message above 64 KiB is not taken', async () => {
    await start();
    const page = await open();
    page.socket.send(Buffer.alloc(65 * 1024));
    await vi.waitFor(() => expect(page.closeCode).toBe(1009));
  });
});

describe('stream', () => {
  test('summaries are thinned out, changes of state are not', async () => {
    await start();
    const page = await open();
    for (let index = 0; index < 100; index++) hub.runUpdated(runSummary('run-1', { finishedEpisodes: index }));
    hub.runUpdated(runSummary('run-1', { finishedEpisodes: 100, state: 'paused' }));
    await vi.waitFor(() => expect(page.last('run-updated').summary.state).toBe('paused'));
    expect(page.count('run-updated')).toBeLessThanOrEqual(3);
    hub.runUpdated(runSummary('run-1', { finishedEpisodes: 101, state: 'paused' }));
    await vi.waitFor(() => expect(page.last('run-updated').summary.finishedEpisodes).toBe(101));
  });

  test('sequence numbers rise by one from the snapshot on', async () => {
    await start();
    const page = await open();
    const first = page.last('snapshot').sequence;
    hub.episodeStarted(environmentView('w:0'));
    hub.notice('info', 'hello');
    hub.workersUpdated([]);
    await vi.waitFor(() => expect(page.count('workers-updated')).toBe(1));
    const numbered = page.events.filter((event) => 'sequence' in event && event.type !== 'snapshot');
    expect(numbered.map((event) => ('sequence' in event ? event.sequence : 0))).toEqual([
      first + 1,
      first + 2,
      first + 3,
    ]);
  });

  test('an environment without geometry is announced again once its task has some', async () => {
    await start();
    const page = await open();
    hub.episodeStarted(environmentView('w:0'));
    hub.sceneReady('metaworld/reach-v3', 'abc');
    await vi.waitFor(() => expect(page.last('episode-started').environment.scene).toBe('abc'));
    hub.episodeStarted(environmentView('w:1'));
    await vi.waitFor(() =>
      expect(page.last('episode-started').environment).toMatchObject({ key: 'w:1', scene: 'abc' }),
    );
  });

  test('poses are wanted as fast as the most demanding page, and not at all without one', async () => {
    await start();
    expect(hub.posesHz()).toBe(0);
    const slow = await open(5);
    await vi.waitFor(() => expect(hub.posesHz()).toBe(5));
    const fast = await open(40);
    await vi.waitFor(() => expect(hub.posesHz()).toBe(40));
    fast.send({ type: 'acknowledge', frame: 0, visible: false });
    await vi.waitFor(() => expect(hub.posesHz()).toBe(5));
    slow.socket.terminate();
    await vi.waitFor(() => expect(hub.posesHz()).toBe(1));
    fast.socket.terminate();
    await vi.waitFor(() => expect(hub.posesHz()).toBe(0));
    expect(rates).toEqual([5, 40, 5, 1, 0]);
  });

  test('a crowd shares 240 pictures a second; whoever goes leaves more to the others', async () => {
    await start();
    const crowd = await Promise.all(Array.from({ length: 25 }, () => open(30)));
    await vi.waitFor(() => expect(hub.posesHz()).toBe(7.5));
    for (const page of crowd.slice(5)) page.socket.terminate();
    await vi.waitFor(() => expect(hub.posesHz()).toBe(30));
  });

  test('stalled pages neither slow the others nor the caller', { timeout: 20_000 }, async () => {
    await start();
    hub.episodeStarted(environmentView('w:0'));
    const good = await open(30);
    const stalled = await Promise.all(Array.from({ length: 5 }, () => open(60)));
    for (const page of stalled) page.acknowledges = false;
    stalled[0]?.socket.pause();
    const before = good.count('frames');
    const stalledBefore = stalled.map((page) => page.count('frames'));
    let step = 0;
    let slowestMs = 0;
    const startedAt = performance.now();
    while (performance.now() - startedAt < 3000) {
      const callAt = performance.now();
      hub.step('w:0', stepView(++step));
      hub.poses('w:0', new Float32Array(7 * 40));
      slowestMs = Math.max(slowestMs, performance.now() - callAt);
      await new Promise((resolve) => setTimeout(resolve, 2));
    }
    expect(good.count('frames') - before).toBeGreaterThan(60);
    for (const [index, page] of stalled.entries()) {
      expect(page.count('frames') - (stalledBefore[index] ?? 0)).toBeLessThanOrEqual(3);
    }
    expect(slowestMs).toBeLessThan(50);
    expect(hub.posesHz()).toBe(30);
  });

  test('a page that stops reading is cut off once its events pile up; the others miss nothing', async () => {
    await start();
    const good = await open();
    const frozen = await open();
    frozen.socket.pause();
    const text = 'x'.repeat(4000);
    for (let index = 0; index < 4000; index++) {
      hub.notice('info', text);
      if (index % 50 === 0) await new Promise((resolve) => setImmediate(resolve));
    }
    await vi.waitFor(() => expect(good.count('notice')).toBe(4000), { timeout: 10_000 });
    await vi.waitFor(() => expect(hub.viewers()).toBe(1), { timeout: 5000 });
  });
});

describe('control', () => {
  test('reaches the server; a failure is shown to that page', async () => {
    await start();
    const page = await open();
    page.send({ type: 'control', run: 'run-1', action: 'pause' });
    page.send({ type: 'control', run: 'run-9', action: 'stop' });
    await vi.waitFor(() => expect(page.count('notice')).toBe(1));
    expect(controls).toEqual(['pause run-1', 'stop run-9']);
    expect(page.last('notice').text).toMatch(/Cannot stop run-9: There is no run called run-9/);
  });

  test('is not for viewers', async () => {
    await start({ tokens: { viewer: 'see', operator: 'do' } });
    const page = await open(30, 'see');
    page.send({ type: 'control', run: 'run-1', action: 'stop' });
    await vi.waitFor(() => expect(page.last('notice').level).toBe('warning'));
    expect(controls).toEqual([]);
  });
});

test('a dead peer is cut off after two pings', async () => {
  await start({ pingIntervalMs: 50 });
  const page = await open();
  expect(hub.viewers()).toBe(1);
  page.socket.pause();
  await vi.waitFor(() => expect(hub.viewers()).toBe(0));
});

test('closing says goodbye to every page', async () => {
  await start();
  const page = await open();
  await hub.close();
  await vi.waitFor(() => expect(page.closeCode).toBe(1001));
});
