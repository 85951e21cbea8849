import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { PERFORMANCE_MATRIX_FILE, type PerformanceMatrix } from '../../protocol/performance-matrix.ts';
import type { LiveServer } from '../../server/build-server.ts';
import type { RunHandle } from '../../server/rollouts/run-service.ts';
import { browserSkipReason, launchChromium } from '../support/chromium.ts';
import { liveServer, shortRun } from '../support/live-server.ts';
import { seriousFindings } from './support/accessibility.ts';
import { buildPage } from './support/live-page.ts';
import { horizontalOverflow, paintedPixels } from './support/page-probes.ts';

const WAIT = { timeout: 150_000 };
const SHIPPED = new URL('../../agent/checkpoints/mt10', import.meta.url).pathname;
const TASKS = ['metaworld/drawer-open-v3', 'metaworld/push-v3', 'metaworld/window-open-v3'];
const KEYS = 30;
const DIMENSIONS = 4;
const PICTURES = process.env['L2M_SCREENSHOTS'];

/** What the shipped policy thinks while it acts in real simulators. */
describe.skipIf(browserSkipReason() !== undefined)('the policy views', () => {
  let server: LiveServer;
  let browser: Browser;
  let page: Page;
  let handle: RunHandle;
  const problems: string[] = [];
  const view = (name: string) => page.locator(`[data-view=${name}]`);

  beforeAll(async () => {
    buildPage();
    // Plain graphs: what XLA does in addition is compile for a minute.
    vi.stubEnv('TF_XLA_FLAGS', '--tf_xla_auto_jit=0');
    server = await liveServer({ environments: 3 }, { serve: true });
    browser = await launchChromium();
    page = await browser.newPage({ viewport: { width: 1280, height: 1000 }, deviceScaleFactor: 1 });
    page.on('pageerror', (error) => problems.push(error.message));
    page.on('console', (message) => {
      if (message.type() === 'error' && !message.location().url.includes('/scene/')) problems.push(message.text());
    });
    // Other tests draw the robots; here they would only take the processor from the simulators.
    await page.route(/\/scene\//, (route) => route.abort());
    await page.goto(`${server.url ?? ''}/?quality=low`);
    handle = await start('checkpoint');
  });

  afterAll(async () => {
    await browser.close();
    await server.close();
    vi.unstubAllEnvs();
  });

  function start(kind: 'checkpoint' | 'random'): Promise<RunHandle> {
    const policy = kind === 'random' ? { kind } : { kind, folder: SHIPPED };
    return server.runs.start(shortRun({ tasks: TASKS, episodes: 500, horizon: 200, policy }));
  }

  /** One step after another, each seen by the page. */
  async function anotherStep(): Promise<void> {
    const before = await page.locator('[data-step]').getAttribute('data-step');
    await page.waitForFunction(
      `document.querySelector('[data-step]').getAttribute('data-step') !== ${JSON.stringify(before)}`,
      undefined,
      WAIT,
    );
  }

  async function words(name: string, index: number, keys: readonly string[]): Promise<string> {
    const map = view(name).locator('.heat').nth(index);
    await map.locator('canvas').focus();
    for (const key of keys) await page.keyboard.press(key);
    return map.locator('.heat-words').innerText();
  }

  /** The whole panel, for the docs. */
  async function picture(): Promise<void> {
    if (PICTURES === undefined) return;
    await page.setViewportSize({ width: 1280, height: 2600 });
    await page.locator('.policy').screenshot({ path: join(PICTURES, 'policy.png'), ...WAIT });
    await page.setViewportSize({ width: 1280, height: 1000 });
  }

  it('are closed at first, and open by a button', async () => {
    await page.getByRole('button', { name: 'Show what the policy thinks' }).waitFor(WAIT);
    expect(await page.locator('[data-view]').count()).toBe(0);
    await page.getByRole('button', { name: 'Show what the policy thinks' }).click(WAIT);
    await view('action').locator('[data-dimension]').first().waitFor(WAIT);
  });

  it('show the distribution of each action dimension, the chosen bin being the likeliest, and follow the steps', async () => {
    const rows = view('action').locator('[data-dimension]');
    expect(await rows.count()).toBe(DIMENSIONS);
    expect(await rows.locator('b').allInnerTexts()).toEqual(['x', 'y', 'z', 'gripper']);
    await anotherStep();
    await anotherStep();
    for (const row of await rows.all()) {
      const facts = await row.locator('span').innerText();
      const [, action, share, bits] = /^(-?[\d.]+) with (\d+) %, entropy ([\d.]+) bits$/.exec(facts) ?? [];
      expect(Math.abs(Number(action))).toBeLessThanOrEqual(1);
      expect(Number(share)).toBeGreaterThanOrEqual(100 / 64 - 1);
      expect(Number(bits)).toBeLessThanOrEqual(6);
      expect(await row.locator('svg path.chosen').count()).toBe(1);
    }
    const asked = await view('action').locator('.time-line').first().innerText();
    expect(asked).toMatch(/return-to-go .* to .*, now/);
  });

  it('show the pool: similarity to every key, use per task with counts, keys and query in a plane', async () => {
    await page.locator('[data-view=pool] .plane').waitFor(WAIT);
    await view('pool').locator(`.heat canvas[height="${TASKS.length}"]`).nth(1).waitFor(WAIT);
    expect(await view('pool').locator('.plane circle').count()).toBe(KEYS);
    expect(await view('pool').locator('.plane .query').count()).toBe(1);
    await view('pool').getByLabel(`Similarity to ${KEYS} keys`).waitFor(WAIT);
    expect(await words('pool', 1, ['ArrowDown', 'ArrowUp'])).toMatch(
      /^drawer-open-v3, modulator 0: \d+ of \d+ decisions$/,
    );
    expect(await words('pool', 0, ['ArrowRight'])).toMatch(/^worker-0:\d, [\d.]+ s ago: (key \d+|none)$/);
    expect(await paintedPixels(page, '[data-view=pool] .heat canvas')).toBeGreaterThan(0);
    const names = await view('pool').locator('.heat').first().locator('li').allInnerTexts();
    expect(names.toSorted()).toEqual(TASKS.map((task) => task.replace('metaworld/', '')));
    expect(Number(await view('pool').locator('.key-legend span').first().innerText())).toBeLessThan(KEYS);
    await view('pool').getByText('all decisions of the task').waitFor(WAIT);
    // Selections go on by themselves, two columns a second.
    await page.waitForFunction(`Number(document.querySelector('.key-legend').dataset.columns) > 2`, undefined, WAIT);
  });

  it('compute attention only when a block is chosen, and of the present decision also while the run is paused', async () => {
    await view('attention').getByText('computed only on request').waitFor(WAIT);
    expect(await view('attention').locator('canvas').count()).toBe(0);
    await view('attention').getByRole('combobox').first().selectOption('2');
    await view('attention').locator('canvas[aria-label="Attention of block 2, head 0"]').waitFor(WAIT);
    server.runs.pause(handle.run);
    try {
      await view('attention').getByRole('combobox').last().selectOption('3');
      const map = view('attention').locator('canvas[aria-label="Attention of block 2, head 3"]');
      await map.waitFor(WAIT);
      const tokens = Number(await map.getAttribute('height'));
      // Whole steps of nine tokens and, of the newest, state, return-to-go and the task's four actions.
      expect(tokens % 9).toBe(2 + DIMENSIONS);
      expect(await words('attention', 0, ['ArrowDown', 'ArrowLeft'])).toMatch(
        /^return-to-go, \d before looks at state, \d before: [\d.]+ %$/,
      );
      const step = await page.locator('[data-step]').getAttribute('data-step');
      await picture();
      expect(await page.locator('[data-step]').getAttribute('data-step')).toBe(step);
    } finally {
      server.runs.resume(handle.run);
    }
  });

  it('show what each task is worth after each stage of a training, as it comes in', async () => {
    await view('forgetting').getByText('Recorded example').waitFor(WAIT);
    const rows: PerformanceMatrix['rows'] = [];
    const write = async () => {
      const folder = join(server.config.data, 'continual', 'trial');
      const matrix: PerformanceMatrix = {
        ...{ format: 'l2m-performance-matrix-1', name: 'trial', method: 'l2m-lora', seed: 7, state: 'running' },
        ...{ sequence: ['metaworld/push-v3', 'metaworld/door-open-v3'], others: ['metaworld/reach-v3'], rows },
      };
      await mkdir(folder, { recursive: true });
      await writeFile(join(folder, PERFORMANCE_MATRIX_FILE), JSON.stringify(matrix));
    };
    const cell = (task: string, stage: number) => view('forgetting').locator(`tr[data-task="${task}"] td`).nth(stage);
    rows.push({ stage: 0, stageTask: null, task: 'metaworld/push-v3', success: 0.1, k: 5, n: 50 });
    await write();
    await cell('metaworld/push-v3', 0).getByText('10 %').waitFor(WAIT);
    expect(await view('forgetting').getByText('Recorded example').count()).toBe(0);
    expect(await cell('metaworld/push-v3', 1).innerText()).toBe('·');
    rows.push({ stage: 1, stageTask: 'metaworld/push-v3', task: 'metaworld/push-v3', success: 0.8, k: 40, n: 50 });
    await write();
    await cell('metaworld/push-v3', 1).getByText('80 %').waitFor(WAIT);
    expect(await cell('metaworld/push-v3', 1).getAttribute('title')).toContain('40 of 50');
    expect(await cell('metaworld/push-v3', 1).getAttribute('class')).toBe('learned');
  });

  it('fit a telephone', async () => {
    await page.setViewportSize({ width: 390, height: 844 });
    await anotherStep();
    expect(await horizontalOverflow(page)).toBeLessThanOrEqual(0);
    await page.setViewportSize({ width: 1280, height: 1000 });
  });

  it('can be read by everybody, light and dark', async () => {
    server.runs.pause(handle.run);
    for (const colorScheme of ['light', 'dark'] as const) {
      await page.emulateMedia({ colorScheme });
      expect(await seriousFindings(page)).toEqual([]);
    }
    server.runs.resume(handle.run);
  });

  it('say in words when nothing lies behind the actions', async () => {
    server.runs.stop(handle.run);
    handle = await start('random');
    await view('action').getByText('no trained model').waitFor(WAIT);
    expect(await view('action').locator('[data-dimension]').count()).toBe(0);
  });

  it('had no error in the console', () => {
    expect(problems).toEqual([]);
  });
});
