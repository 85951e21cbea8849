import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { LiveServer } from '../../server/build-server.ts';
import { immediateDecision, type ActingPolicy } from '../../server/rollouts/acting-policy.ts';
import type { RunHandle } from '../../server/rollouts/run-service.ts';
import { browserSkipReason, launchChromium } from '../support/chromium.ts';
import { ControlPage } from '../support/control-page.ts';
import { liveServer, shortRun, until } from '../support/live-server.ts';
import { buildPage } from './support/live-page.ts';

const KEY = 'worker-0:0';
const WAIT = { timeout: 90_000 };
const PICTURES = process.env['L2M_SCREENSHOTS'];

/** What the policy was last shown: where the hand of Meta-World is, and how far its fingers and the object are. */
const seen = { x: 0, y: 0, all: [] as number[] };
const onlooker: ActingPolicy = {
  name: 'onlooker',
  assertSupports: () => undefined,
  begin: ({ actionSize }) => ({
    decide: ({ observation }) => {
      const [x = 0, y = 0] = observation;
      Object.assign(seen, { x, y, all: [...observation.subarray(0, 7)] });
      return immediateDecision(new Float32Array(actionSize));
    },
  }),
};

/** A person's hands, by keyboard, gamepad and mouse, on real simulators through the whole server. */
describe.skipIf(browserSkipReason() !== undefined)('hands on a live simulation', () => {
  let server: LiveServer;
  let browser: Browser;
  let page: Page;
  let handle: RunHandle;
  let spectator: ControlPage;
  const problems: string[] = [];

  const restsAt = (): number => {
    const slot = server.fleet.hub.sessions().get('worker-0')?.slots[0];
    return slot?.state === 'waiting' ? slot.step : -1;
  };
  const press = (selector: string) => page.locator(selector).first().dispatchEvent('click', {}, WAIT);
  const command = (kind: string) => press(`[data-command=${kind}]`);
  const handled = () => spectator.handled(KEY);
  const picture = async (name: string): Promise<void> => {
    if (PICTURES !== undefined) await page.screenshot({ path: join(PICTURES, name) });
  };

  beforeAll(async () => {
    buildPage();
    server = await liveServer({ environments: 1 }, { serve: true });
    spectator = await ControlPage.open(server);
    browser = await launchChromium();
    page = await browser.newPage({ viewport: { width: 1280, height: 900 } });
    page.on('pageerror', (error) => problems.push(error.message));
    page.on('console', (message) => {
      if (message.type() === 'error') problems.push(message.text());
    });
    await page.addInitScript('window.pads = []; navigator.getGamepads = () => window.pads;');
    await page.goto(`${server.url ?? ''}/?quality=low`);
    const request = shortRun({ tasks: ['metaworld/reach-v3'], episodes: 50, horizon: 500 });
    handle = await server.runs.start(request, { policy: onlooker });
  });

  afterAll(async () => {
    await browser.close();
    await server.close();
  });

  it('are granted control on request, and everybody sees who has it', async () => {
    await page.getByRole('button', { name: 'Take control' }).dispatchEvent('click', {}, WAIT);
    await page.getByText('You are in control').waitFor(WAIT);
    await until('the news', () => spectator.control().seat === 'other');
    await page.getByLabel('What is controlled').selectOption(KEY, WAIT);
  });

  it('pause, step and slow one environment', async () => {
    await command('pause');
    await until('the pause', () => handled()?.paused === true && restsAt() >= 0, 60_000);
    await page.locator('.control-badge', { hasText: 'paused' }).waitFor(WAIT);
    const before = restsAt();
    await command('step');
    await until('one step', () => restsAt() === before + 1, 60_000);
    await command('reset');
    await until('the start', () => restsAt() === 0, 60_000);
    await page.getByLabel('Speed').selectOption('1', WAIT);
    await until('the speed', () => handled()?.speed === 1, 60_000);
    await command('resume');
    await until('steps again', () => handled()?.paused === false, 60_000);
  });

  it('steer by keyboard: the arm moves, the episode is marked, and Escape hands back', async () => {
    await command('steer');
    await page.locator('.control-keys').waitFor(WAIT);
    const from = seen.x;
    await page.keyboard.down('KeyD');
    await until('a person at work', () => handled()?.hand === 'person', 60_000);
    await until('the hand further right', () => seen.x > from + 0.03, 60_000);
    await page.locator('.control-badge', { hasText: 'assisted' }).waitFor(WAIT);
    await page.locator('[data-hand=person]').waitFor(WAIT);
    await page.keyboard.up('KeyD');
    await page.keyboard.press('Escape');
    await until('the policy', () => handled()?.hand === 'policy', 60_000);
    expect(handled()?.assisted).toBe(true);
  });

  it('steer by gamepad', async () => {
    await command('steer');
    const from = seen.y;
    await page.evaluate("window.pads = [{ id: 'pad', connected: true, axes: [0, 1, 0, 0], buttons: [] }]");
    await until('the hand nearer', () => seen.y < from - 0.03, 60_000);
    await page.evaluate('window.pads = []');
    await command('steer');
    await until('the policy', () => handled()?.hand !== 'person', 60_000);
  });

  it('pull at a body with Ctrl and the mouse', async () => {
    const viewport = page.locator(`[data-key="${KEY}"] .viewport`);
    await page.waitForFunction("!document.body.innerText.includes('Loading the scene')", undefined, WAIT);
    await viewport.scrollIntoViewIfNeeded(WAIT);
    await command('steer');
    await page.keyboard.down('Control');
    const box = await viewport.boundingBox(WAIT);
    if (box === null) throw new Error('the viewport has no place');
    const held = await grabbed(page, box);
    expect(held, 'nothing to hold in the whole picture').not.toBeNull();
    await page.mouse.move(box.x + box.width / 2, box.y + 20);
    await until('a pull', () => handled()?.dragged === true, 60_000);
    const from = seen.all;
    await until(
      'a movement',
      () => seen.all.some((value, index) => Math.abs(value - (from[index] ?? 0)) > 0.01),
      60_000,
    );
    // The spring goes from the body, which is in the picture, to the pointer.
    const spring = viewport.locator('.pull-line line');
    const end = async (name: string) => Number(await spring.getAttribute(name, WAIT));
    expect(await end('x2')).toBeCloseTo(0, 1);
    expect(await end('y2')).toBeCloseTo((2 * 20) / box.height - 1, 1);
    expect(Math.abs(await end('x1'))).toBeLessThan(1);
    expect(Math.abs(await end('y1'))).toBeLessThan(1);
    await picture('control.png');
    await page.mouse.up();
    await page.keyboard.up('Control');
    await spring.waitFor({ state: 'detached', ...WAIT });
    await until('letting go', () => handled()?.dragged === false, 60_000);
  });

  it('keep what they touched out of every score', async () => {
    await page.getByLabel('Speed').selectOption('', WAIT);
    await until('the end of an episode', () => (handle.summary().assistedEpisodes ?? 0) > 0, 90_000);
    await page.locator('.control-badge').waitFor({ state: 'detached', ...WAIT });
    await page.getByRole('button', { name: 'Release' }).dispatchEvent('click', {}, WAIT);
    await until('an empty seat', () => spectator.control().seat === 'free', 60_000);
    expect(problems).toEqual([]);
  });
});

/** Presses the mouse where the robot stands: the first place of a grid at which something can be held. */
async function grabbed(
  page: Page,
  box: { x: number; y: number; width: number; height: number },
): Promise<string | null> {
  for (const row of [0.5, 0.4, 0.6, 0.3, 0.7]) {
    for (const column of [0.5, 0.45, 0.55, 0.4, 0.6, 0.35, 0.65, 0.3, 0.7]) {
      await page.mouse.move(box.x + column * box.width, box.y + row * box.height);
      await page.mouse.down();
      if ((await page.locator('.viewport.dragging').count()) > 0) return `${column} ${row}`;
      await page.mouse.up();
    }
  }
  return null;
}
