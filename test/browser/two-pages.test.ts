import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { WIRE_LIMITS } from '../../protocol/limits.ts';
import type { LiveServer } from '../../server/build-server.ts';
import { browserSkipReason, launchChromium } from '../support/chromium.ts';
import { ControlPage } from '../support/control-page.ts';
import { liveServer, shortRun, temporaryFolder, until } from '../support/live-server.ts';
import { buildPage } from './support/live-page.ts';

const WAIT = { timeout: 60_000 };
const TOKENS = { viewer: 'v'.repeat(16), operator: 'o'.repeat(16) };

/** One seat, several people in front of browsers, one server with tokens. */
describe.skipIf(browserSkipReason() !== undefined)('two pages that want control', () => {
  const folder = temporaryFolder();
  let server: LiveServer;
  let browser: Browser;
  let first: Page;
  let second: Page;
  const problems: string[] = [];

  async function open(token: string): Promise<Page> {
    const context = await browser.newContext({ viewport: { width: 800, height: 600 } });
    const page = await context.newPage();
    page.on('pageerror', (error) => problems.push(error.message));
    await page.route(/\/scene\//, (route) => route.abort());
    await page.goto(`${server.url ?? ''}/?quality=low#token=${token}`);
    await page.locator('.control-seat').waitFor(WAIT);
    return page;
  }

  const press = (page: Page, name: string) => page.getByRole('button', { name }).dispatchEvent('click', {}, WAIT);
  const sees = (page: Page, words: string | RegExp) =>
    page.locator('.control-seat').filter({ hasText: words }).waitFor(WAIT);

  beforeAll(async () => {
    buildPage();
    const tokens = join(folder.path, 'tokens.json');
    writeFileSync(tokens, JSON.stringify(TOKENS), { mode: 0o600 });
    server = await liveServer({ environments: 1, tokens }, { serve: true });
    await server.runs.start(shortRun({ tasks: ['dmcontrol/cartpole-balance'], episodes: 5000, horizon: 200 }));
    browser = await launchChromium();
    [first, second] = [await open(TOKENS.operator), await open(TOKENS.operator)];
  });

  afterAll(async () => {
    await browser.close();
    await server.close();
    folder.remove();
  });

  it('get it one at a time: one asks, the other hands over, and both are told', async () => {
    await press(first, 'Take control');
    await sees(first, 'You are in control');
    await sees(second, 'is in control');
    await press(second, 'Ask for control');
    await sees(first, 'another page asks');
    await press(first, 'Hand over');
    await sees(second, 'You are in control');
    await sees(first, 'is in control');
    expect(await first.locator('[data-command=pause]').count()).toBe(0);
  });

  it('take it from whoever is silent for half a minute, and not sooner', async () => {
    // A sign of life, then nothing.
    await press(second, 'Step');
    const silentSince = performance.now();
    expect(await first.getByRole('button', { name: 'Take over' }).count()).toBe(0);
    await first.getByRole('button', { name: 'Take over' }).waitFor(WAIT);
    expect(performance.now() - silentSince).toBeGreaterThan(WIRE_LIMITS.controlSilenceMs - 1500);
    await sees(first, 'silent for a while');
    await press(first, 'Take over');
    await sees(first, 'You are in control');
    await sees(second, 'is in control');
    await press(first, 'Release');
    await sees(second, 'Nobody is in control');
  }, 120_000);

  it('leave a viewer to look on: its buttons say what is missing, and the server does not believe them either', async () => {
    const viewer = await open(TOKENS.viewer);
    const take = viewer.getByRole('button', { name: 'Take control' });
    expect(await take.isDisabled()).toBe(true);
    expect(await take.getAttribute('title')).toBe('Needs the operator token');
    expect(await viewer.getByRole('button', { name: /^(Pause|Resume)$/ }).isDisabled()).toBe(true);
    const forged = await ControlPage.open(server, TOKENS.viewer);
    forged.seat('request');
    await until('the refusal', () => forged.warning() !== '');
    expect(forged.warning()).toContain('viewer');
    expect(forged.control().seat).toBe('free');
    forged.page.socket.close();
    await sees(first, 'Nobody is in control');
    expect(problems).toEqual([]);
  });
});
