import type { Browser, BrowserContext, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import { browserSkipReason, launchChromium } from '../support/chromium.ts';
import { brightness, difference, horizontalOverflow, paintedPixels, webGlRenderer } from './support/page-probes.ts';
import { servePage, type LivePage } from './support/live-page.ts';
import { sampleRun, ScenePlayer } from './support/play-scenes.ts';
import { recordScenes, type RecordedScene } from './support/recorded-scenes.ts';

const WAIT = { timeout: 90_000 };

/** Real simulators' scenes and trajectories, a real server part, a real browser; only the run itself is told, not played. */
describe.skipIf(browserSkipReason() !== undefined)('live page in Chromium', () => {
  let browser: Browser;
  let recorded: RecordedScene[];
  let context: BrowserContext;
  let served: LivePage | undefined;
  let complaints: string[];
  const controls: string[] = [];

  beforeAll(async () => {
    [browser, recorded] = await Promise.all([
      launchChromium(),
      recordScenes(['metaworld/reach-v3:40', 'dmcontrol/walker-walk:40']),
    ]);
  });

  afterEach(async () => {
    await context.close();
    await served?.close();
    served = undefined;
    controls.length = 0;
  });

  afterAll(() => browser.close());

  async function serve(port = 0): Promise<LivePage> {
    served = await servePage({
      port,
      onControl: (run, action) => {
        controls.push(`${action} ${run}`);
        return { ok: true, value: undefined };
      },
    });
    return served;
  }

  async function tell(page: LivePage, scenes: readonly RecordedScene[]): Promise<ScenePlayer> {
    for (const { scene } of scenes) await page.scenes.put(scene);
    page.hub.runUpdated(sampleRun(scenes.map((scene) => scene.task)));
    const player = new ScenePlayer(page.hub, scenes);
    for (const { task, scene } of scenes) page.hub.sceneReady(task, scene.hash);
    return player;
  }

  async function open(url: string, options: { width?: number; dark?: boolean } = {}): Promise<Page> {
    context = await browser.newContext({
      viewport: { width: options.width ?? 800, height: 900 },
      colorScheme: options.dark === true ? 'dark' : 'light',
    });
    const tab = await context.newPage();
    complaints = [];
    tab.on('console', (message) => {
      if (message.type() === 'error') complaints.push(message.text());
    });
    tab.on('pageerror', (error) => complaints.push(error.message));
    await tab.goto(url);
    return tab;
  }

  test('WebGL2 is there', async () => {
    const tab = await open('about:blank');
    const renderer = await webGlRenderer(tab);
    console.info(`Chromium ${browser.version()}, ${renderer}`);
    expect(renderer).not.toBeNull();
  });

  test('environments are drawn in 3D and move with their poses', async () => {
    const page = await serve();
    const player = await tell(page, recorded);
    const tab = await open(page.url);
    for (const { task } of recorded) {
      const before = await picture(tab, task);
      expect(before.colors).toBeGreaterThan(20);
      for (let step = 0; step < 20; step++) player.advance();
      await vi.waitFor(async () => {
        expect(difference((await picture(tab, task)).samples, before.samples)).toBeGreaterThan(0.003);
      }, WAIT);
    }
    expect(complaints).toEqual([]);
  });

  test('numbers, curves, marks and intervals are those that the server told', async () => {
    const page = await serve();
    const player = await tell(page, recorded);
    const tab = await open(page.url);
    const tile = tab.locator('[data-task="metaworld/reach-v3"].tile');
    for (let step = 1; step <= 12; step++) {
      player.advance();
      await tile.locator('[data-figure=step]', { hasText: new RegExp(`^${step}$`) }).waitFor(WAIT);
    }
    expect(await tile.locator('[data-figure=reward]').innerText()).toBe(recorded[0]!.rewards[12]!.toFixed(2));
    expect(await paintedPixels(tab, '[data-task="metaworld/reach-v3"].tile canvas.sparkline')).toBeGreaterThan(20);

    const row = tab.locator('tr[data-task="metaworld/reach-v3"]');
    expect(await row.locator('.rate-number').first().innerText()).toMatch(/100 %\s+7\/7/);
    expect(await row.locator('[role=img]').first().getAttribute('aria-label')).toBe(
      'Any time: 100 %, 95 % interval 65–100 %',
    );
    expect(await tab.locator('tr[data-task="dmcontrol/walker-walk"]').innerText()).toContain('0.44');

    page.hub.episodeEnded({
      key: 'worker-0:0',
      run: 'run-1',
      episode: 1,
      task: 'metaworld/reach-v3',
      start: 0,
      outcome: 'success',
      length: 40,
      return: 100,
      successAtEnd: true,
      firstSuccessStep: 31,
      message: '',
    });
    await tab.locator('.tile-success .mark-success', { hasText: 'success' }).waitFor(WAIT);
    expect(await tab.locator('[role=log]').innerText()).toContain('success at step 31');
    page.hub.workersUpdated([
      {
        worker: 'worker-1',
        state: 'lost',
        processId: 17,
        environments: 2,
        stepsPerSecond: 0,
        restarts: 1,
        message: 'No sign of life for 15 s.',
      },
    ]);
    await tab.locator('.worker-lost', { hasText: 'No sign of life' }).waitFor(WAIT);
    expect(complaints).toEqual([]);
  });

  test('the run is paused, resumed and stopped by button and by keyboard', async () => {
    const page = await serve();
    const summary = sampleRun(['metaworld/reach-v3']);
    page.hub.runUpdated(summary);
    const tab = await open(page.url);
    await tab.getByRole('button', { name: 'Pause' }).click(WAIT);
    await vi.waitFor(() => expect(controls).toEqual([`pause ${summary.run}`]), WAIT);
    page.hub.runUpdated({ ...summary, state: 'paused' });
    await tab.getByRole('button', { name: 'Resume' }).waitFor(WAIT);
    await tab.locator('h1').click();
    await tab.keyboard.press('Space');
    await vi.waitFor(() => expect(controls.at(-1)).toBe(`resume ${summary.run}`), WAIT);
    await tab.getByRole('button', { name: 'Stop' }).click();
    expect(controls).toHaveLength(2);
    await tab.getByRole('button', { name: 'Really stop?' }).click();
    await vi.waitFor(() => expect(controls.at(-1)).toBe(`stop ${summary.run}`), WAIT);
    await tab.keyboard.press('?');
    await tab.getByRole('dialog').waitFor(WAIT);
    await tab.keyboard.press('Escape');
    await tab.getByRole('dialog').waitFor({ ...WAIT, state: 'detached' });
    page.hub.runUpdated({ ...summary, state: 'finished' });
    await tab.getByRole('button', { name: 'Stop' }).waitFor({ ...WAIT, state: 'detached' });
    expect(complaints).toEqual([]);
  });

  test('a page outlives its server: it says so, comes back within seconds, and shows the new state', async () => {
    const first = await serve();
    first.hub.runUpdated(sampleRun(['metaworld/reach-v3'], { policy: 'before' }));
    const tab = await open(first.url);
    await tab.locator('h1', { hasText: 'before' }).waitFor(WAIT);
    await first.close();
    served = undefined;
    await tab.locator('[data-connection=waiting]').waitFor(WAIT);
    expect(await tab.locator('.banner').innerText()).toMatch(/Disconnected: .*last known state/);
    expect(await tab.getByRole('button', { name: 'Pause' }).isDisabled()).toBe(true);
    await new Promise((resolve) => setTimeout(resolve, 1500));
    const second = await serve(first.port);
    second.hub.runUpdated(sampleRun(['metaworld/reach-v3'], { policy: 'after' }));
    const backAt = performance.now();
    await tab.locator('h1', { hasText: 'after' }).waitFor(WAIT);
    const seededMs = performance.now() - backAt;
    console.info(`seeded again ${Math.round(seededMs)} ms after the server was back`);
    expect(seededMs).toBeLessThanOrEqual(2000);
    await tab.locator('[data-connection=open]').waitFor(WAIT);
    expect(await tab.locator('.banner').count()).toBe(0);
    expect(complaints.filter((text) => !/WebSocket connection .* failed|ERR_CONNECTION/.test(text))).toEqual([]);
  });

  test('nothing running, and a telephone', async () => {
    const page = await serve();
    const tab = await open(page.url, { width: 390, dark: true });
    await tab.locator('h1', { hasText: 'Nothing is running' }).waitFor(WAIT);
    await tell(page, recorded.slice(1));
    await tab.locator('[data-run]').waitFor(WAIT);
    expect(await horizontalOverflow(tab)).toBeLessThanOrEqual(0);
    expect(complaints).toEqual([]);
  });

  /** The pixels of one tile, as the person sees them. */
  async function picture(tab: Page, task: string): Promise<{ samples: Uint8Array; colors: number }> {
    const viewport = tab.locator(`[data-task="${task}"].tile .viewport`);
    await viewport.waitFor(WAIT);
    await viewport.locator('.viewport-note').waitFor({ ...WAIT, state: 'detached' });
    await viewport.scrollIntoViewIfNeeded(WAIT);
    const image = await viewport.screenshot(WAIT);
    const samples = await brightness(tab, image);
    return { samples, colors: new Set(samples).size };
  }
});
