import { once } from 'node:events';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { PROTOCOL_VERSION } from '../../protocol/version.ts';
import { browserSkipReason, launchChromium } from '../support/chromium.ts';
import { startL2m, type RunningCommand } from '../support/l2m-command.ts';
import { temporaryFolder, until } from '../support/live-server.ts';
import { TestPage } from '../support/test-page.ts';
import { buildPage } from './support/live-page.ts';

const WAIT = { timeout: 120_000 };
/** What people were promised: a page is itself again so long after its server is back. */
const BACK_WITHIN_MS = 2000;

/** A port that is free now. */
async function freePort(): Promise<number> {
  const probe = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => probe.once('listening', resolve));
  const { port } = probe.address() as AddressInfo;
  await new Promise((resolve) => probe.close(resolve));
  return port;
}

/** The whole program in its own process, as a person starts it, with what can happen to it. */
describe.skipIf(browserSkipReason() !== undefined)('the page in trouble', () => {
  const folder = temporaryFolder();
  let command: RunningCommand;
  let browser: Browser;
  let page: Page;
  let port: number;
  const problems: string[] = [];

  const start = (seed: string): RunningCommand =>
    startL2m([
      ...['start', '--tasks', 'dmcontrol/cartpole-balance', '--policy', 'random', '--episodes', '5000', '--seed', seed],
      ...['--port', String(port), '--data', folder.path, '--workers', '1', '--environments', '2'],
    ]);

  async function answers(): Promise<void> {
    const url = `http://127.0.0.1:${port}/`;
    while (
      !(await fetch(url).then(
        ({ ok }) => ok,
        () => false,
      ))
    )
      await new Promise((resolve) => setTimeout(resolve, 20));
  }

  /** Resolves when the server takes pages in: then it is back. */
  async function seeds(): Promise<void> {
    for (;;) {
      const probe = new TestPage(`ws://127.0.0.1:${port}/live`);
      const opened = await once(probe.socket, 'open').then(
        () => true,
        () => false,
      );
      if (opened) {
        probe.send({ type: 'hello', protocol: PROTOCOL_VERSION });
        await until('the present state', () => probe.count('snapshot') > 0);
        probe.socket.close();
        return;
      }
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }

  beforeAll(async () => {
    buildPage();
    port = await freePort();
    command = start('11');
    await answers();
    browser = await launchChromium();
    page = await browser.newPage({ viewport: { width: 1280, height: 900 } });
    page.on('pageerror', (error) => problems.push(error.message));
    await page.route(/\/scene\//, (route) => route.abort());
    await page.goto(`http://127.0.0.1:${port}/?quality=low`);
    await page.locator('.tile [data-figure=step]').first().waitFor(WAIT);
  });

  afterAll(async () => {
    await browser.close();
    command.process.kill('SIGKILL');
    await command.finished;
    folder.remove();
  });

  it('shows at first how fast things go and where their time goes', async () => {
    await page.locator('.throughput canvas').waitFor(WAIT);
    await page.locator('.time-legend').waitFor(WAIT);
    const panel = await page.locator('.panel', { has: page.locator('#load-title') }).innerText();
    expect(panel).toMatch(/Throughput\s+[\d.,\s]+k? steps\/s/);
    const parts = await page.locator('.time-legend').innerText();
    for (const part of ['simulate', 'transport', 'decide']) expect(parts).toMatch(new RegExp(`${part}\\s+[\\d.]+ ms`));
    expect(await page.locator('.time-split').getAttribute('aria-label')).toMatch(/^simulate (?!0\.00)[\d.]+ ms/);
  });

  it('says in words that a simulator was killed, and that it is there again', async () => {
    const worker = page.locator('.worker').first();
    const id = Number(/pid (\d+)/.exec(await worker.innerText())?.[1]);
    process.kill(id, 'SIGKILL');
    await page.locator('[role=log]', { hasText: 'its process ended: signal SIGKILL' }).waitFor(WAIT);
    await page.locator('.worker-ready', { hasText: /[1-9]\d* restart/ }).waitFor(WAIT);
    expect(await worker.innerText()).not.toContain(`pid ${id}`);
    await page.locator('.tile [data-figure=step]').first().waitFor(WAIT);
  }, 180_000);

  it(`is itself again within ${BACK_WITHIN_MS} ms after the server was killed and started anew on its port`, async () => {
    command.process.kill('SIGKILL');
    await command.finished;
    await page.locator('[data-connection=waiting]').waitFor(WAIT);
    expect(await page.locator('.banner').innerText()).toMatch(/Disconnected: .*last known state/);
    // Of another life: what the page shows then cannot be what it remembers.
    command = start('12');
    await seeds();
    const backAt = performance.now();
    await page.locator('[data-connection=open]').waitFor({ timeout: 30_000 });
    const seededMs = performance.now() - backAt;
    console.info(`connected again ${Math.round(seededMs)} ms after the server was back`);
    expect(seededMs).toBeLessThanOrEqual(BACK_WITHIN_MS);
    await page.locator('.run-facts', { hasText: 'seed 12' }).first().waitFor(WAIT);
    expect(await page.locator('.banner').count()).toBe(0);
    expect(problems).toEqual([]);
  }, 240_000);
});
