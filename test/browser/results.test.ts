import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { LiveServer } from '../../server/build-server.ts';
import type { PolicyChoice } from '../../server/rollouts/run-request.ts';
import { metaworldEpisode, newRun } from '../contract/server/store/builders.ts';
import { browserSkipReason, launchChromium } from '../support/chromium.ts';
import { smallEpisode, smallWriter } from '../support/data-sets.ts';
import { liveServer, shortRun } from '../support/live-server.ts';
import { seriousFindings, unreachableControls } from './support/accessibility.ts';
import { buildPage } from './support/live-page.ts';
import { horizontalOverflow } from './support/page-probes.ts';

const WAIT = { timeout: 90_000 };
const TRAINING = 'pretrain-20261124-010203-abc';

/** Results of runs on real simulators, as the page shows them. */
describe.skipIf(browserSkipReason() !== undefined)('results on the page', () => {
  let server: LiveServer;
  let browser: Browser;
  let context: BrowserContext;
  let expert: string;
  let random: string;
  const problems: string[] = [];

  beforeAll(async () => {
    buildPage();
    server = await liveServer({ environments: 4 }, { serve: true });
    browser = await launchChromium();
    const played = async (policy: PolicyChoice): Promise<string> => {
      const request = shortRun({ tasks: ['metaworld/reach-v3'], episodes: 8, horizon: 120, policy });
      return (await (await server.runs.start(request)).over).run;
    };
    random = await played({ kind: 'random' });
    expert = await played({ kind: 'expert', noises: [0] });
    await server.store.createRun(
      newRun(TRAINING, { kind: 'pretrain', policy: 'pretrain small', protocol: null, tasks: [] }),
    );
    await measured(1, 2.5);
    await server.store.createRun(newRun('evaluate-long-ago', { policy: 'of an earlier life' }));
    await server.store.recordEpisode(metaworldEpisode('evaluate-long-ago'));
    await server.store.updateRun('evaluate-long-ago', { state: 'finished' });
  });

  afterEach(() => context.close());

  afterAll(async () => {
    await browser.close();
    await server.close();
  });

  function measured(step: number, loss: number): Promise<void> {
    const points = [0, 1].map((next) => ({ step: step + next, name: 'loss', value: loss }));
    return server.store.recordMetrics(TRAINING, points);
  }

  async function open(query = '', options: { width?: number; dark?: boolean } = {}): Promise<Page> {
    context = await browser.newContext({
      viewport: { width: options.width ?? 1280, height: 900 },
      colorScheme: options.dark === true ? 'dark' : 'light',
    });
    const tab = await context.newPage();
    problems.length = 0;
    tab.on('pageerror', (error) => problems.push(error.message));
    tab.on('console', (message) => {
      if (message.type() === 'error') problems.push(message.text());
    });
    await tab.goto(`${server.url ?? ''}/?quality=low${query}`);
    await tab.locator('[data-run-row]').first().waitFor(WAIT);
    return tab;
  }

  const rowNames = (tab: Page) =>
    tab.evaluate<string[]>(`[...document.querySelectorAll('[data-run-row]')].map((row) => row.dataset.runRow)`);

  it('lists every run there has been, with counts and intervals, filtered and sorted by the server', async () => {
    const tab = await open();
    expect((await rowNames(tab)).toSorted()).toEqual([random, expert, TRAINING, 'evaluate-long-ago'].toSorted());
    const row = tab.locator(`[data-run-row="${expert}"]`);
    expect(await row.innerText()).toMatch(/100 % 8\/8/);
    expect(await row.locator('[role=img]').first().getAttribute('aria-label')).toBe(
      'Any time: 100 %, 95 % interval 68–100 %',
    );
    await tab.getByRole('button', { name: 'Success, at the end' }).click();
    await tab.waitForFunction(`document.querySelector('[data-run-row]').dataset.runRow === '${expert}' ||
      document.querySelector('[data-run-row]').dataset.runRow === 'evaluate-long-ago'`);
    await tab.getByRole('button', { name: 'Success, at the end' }).click();
    await tab.waitForFunction(`document.querySelector('[data-run-row]').dataset.runRow === '${random}'`);
    await tab.getByLabel('Filter runs').fill('EXPERT');
    await tab.locator(`[data-run-row="${random}"]`).waitFor({ ...WAIT, state: 'detached' });
    expect(await rowNames(tab)).toEqual([expert]);
    await tab.getByLabel('Filter runs').fill('nothing like this');
    await tab.getByText('No run fits this filter.').waitFor(WAIT);
    expect(problems).toEqual([]);
  });

  it('compares two runs by paired starts and says what the test allows to say', async () => {
    const tab = await open();
    await tab.locator(`[data-run-row="${random}"] input`).check();
    expect(await tab.locator('#compare-title').count()).toBe(0);
    await tab.locator(`[data-run-row="${expert}"] input`).check();
    const row = tab.locator('[data-compare-row="reach-v3"]');
    await row.waitFor(WAIT);
    const words = await row.innerText();
    expect(words).toMatch(/\+\d+\.\d\s*\[.*\].*of 8/);
    expect(words).toMatch(/better, p = 0\.0(08|16|31)/);
    expect(tab.url()).toContain(`runs=${random},${expert}`);
    await tab.getByLabel('Compare by').selectOption('Return');
    await tab.locator('[data-compare-row="reach-v3"]', { hasText: '↑' }).waitFor(WAIT);
    await tab.getByRole('button', { name: 'Close' }).click();
    expect(tab.url()).not.toContain('runs=');
    expect(problems).toEqual([]);
  });

  it('draws learning curves that grow while the training goes on', async () => {
    const tab = await open();
    const figure = tab.locator('[data-curve=loss]');
    await figure.locator('canvas').waitFor(WAIT);
    expect(await figure.innerText()).toContain('2.50');
    await measured(10, 1.25);
    await tab.locator('[data-curve=loss]', { hasText: '1.25' }).waitFor(WAIT);
    expect(await figure.locator('[role=img]').getAttribute('aria-label')).toMatch(/4 points to step 11, now 1\.25/);
    expect(problems).toEqual([]);
  });

  it('hands out every episode of the shown run as CSV, JSON and Parquet, and links to the API', async () => {
    const tab = await open();
    const file = async (name: string): Promise<Buffer> => {
      const [download] = await Promise.all([
        tab.waitForEvent('download', WAIT),
        tab.getByRole('button', { name: `Download as ${name}` }).click(),
      ]);
      expect(download.suggestedFilename()).toBe(`${expert}.${name.toLowerCase()}`);
      return readFile(await download.path());
    };
    expect((await file('CSV')).toString().trim().split('\n')).toHaveLength(9);
    expect((JSON.parse((await file('JSON')).toString()) as { episodes: unknown[] }).episodes).toHaveLength(8);
    expect((await file('Parquet')).subarray(0, 4).toString()).toBe('PAR1');
    const api = await tab.request.get(
      new URL((await tab.getByRole('link', { name: 'API' }).getAttribute('href')) ?? '', tab.url()).href,
    );
    expect(api.status()).toBe(200);
    expect(problems).toEqual([]);
  });

  it('shows what has been collected to whoever opens it, and asks the server for nothing before', async () => {
    const writer = await smallWriter(join(server.config.data, 'trajectories'), 'metaworld/push-v3');
    for (const start of [0, 1, 2]) await writer.append(smallEpisode(start, { successAt: start === 0 ? -1 : 3 }));
    const { hash } = await writer.finish();
    const tab = await open();
    const asked: string[] = [];
    tab.on('request', (request) => asked.push(new URL(request.url()).pathname));
    await tab.locator('#data > summary').click();
    const row = tab.locator('[data-set="metaworld/push-v3 expert"]');
    await row.waitFor(WAIT);
    expect(asked).toContain('/api/data');
    expect(await row.innerText()).toMatch(/3\s+12\s+67 %\s+67 %\s+10 to 18, mean 14/);
    expect(await row.locator('[role=img]').getAttribute('aria-label')).toBe('Returns from 10 to 18, mean 14');
    await row.locator('summary').click();
    expect(await row.locator('pre').innerText()).toContain(hash);
    expect(await horizontalOverflow(tab)).toBeLessThanOrEqual(0);
    expect(await seriousFindings(tab)).toEqual([]);
    expect(problems).toEqual([]);
  });

  it('shows a run of an earlier life of the server when it is chosen', async () => {
    const tab = await open();
    await tab.getByRole('button', { name: 'of an earlier life' }).click();
    await tab.locator('[data-run="evaluate-long-ago"]').waitFor(WAIT);
    expect(await tab.locator('tr[data-task="metaworld/reach-v3"]').innerText()).toMatch(/100 %\s+1\/1/);
    expect(problems).toEqual([]);
  });

  it.each([
    [1280, false],
    [1280, true],
    [390, false],
    [390, true],
  ])('is usable %i pixels wide, dark: %s; axe has nothing serious', async (width, dark) => {
    const tab = await open(`&runs=${random},${expert}`, { width, dark });
    await tab.locator('[data-compare-row="reach-v3"]').waitFor(WAIT);
    await tab.locator('[data-curve=loss] canvas').waitFor(WAIT);
    expect(await horizontalOverflow(tab)).toBeLessThanOrEqual(0);
    expect(await unreachableControls(tab)).toEqual([]);
    expect(await seriousFindings(tab)).toEqual([]);
    await tab.keyboard.press('?');
    await tab.getByRole('dialog').waitFor(WAIT);
    expect(await seriousFindings(tab)).toEqual([]);
    expect(problems).toEqual([]);
  });
});
