import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { LiveServer } from '../../server/build-server.ts';
import { browserSkipReason, launchChromium } from '../support/chromium.ts';
import { liveServer, shortRun } from '../support/live-server.ts';
import { buildPage } from './support/live-page.ts';
import { brightness, difference } from './support/page-probes.ts';

const WAIT = { timeout: 60_000 };

/** Cameras, groups and names of real models, in recordings of real simulators. */
describe.skipIf(browserSkipReason() !== undefined)('how a picture is looked at', () => {
  let server: LiveServer;
  let browser: Browser;
  let page: Page;
  let run: string;
  const problems: string[] = [];

  beforeAll(async () => {
    buildPage();
    server = await liveServer({ environments: 2, record: 'all' }, { serve: true });
    const recorded = await server.runs.start(
      shortRun({ tasks: ['metaworld/reach-v3', 'dmcontrol/walker-walk'], episodes: 2, horizon: 30 }),
    );
    run = recorded.run;
    await recorded.over;
    await server.recordingsFlushed();
    browser = await launchChromium();
    page = await browser.newPage({ viewport: { width: 1280, height: 900 } });
    page.on('pageerror', (error) => problems.push(error.message));
  });

  afterAll(async () => {
    await browser.close();
    await server.close();
  });

  async function open(task: string, more = ''): Promise<void> {
    await page.goto(`${server.url ?? ''}/?quality=low&run=${run}&episode=${task}.0.1&step=20${more}`);
    await page.locator('.replay [data-picture="ready"]').waitFor(WAIT);
  }

  async function seen(): Promise<Uint8Array> {
    await page.evaluate('new Promise((resolve) => setTimeout(resolve, 900))');
    const png = await page.evaluate<string>("document.querySelector('.replay-picture canvas').toDataURL()");
    return brightness(page, Buffer.from(png.slice(png.indexOf(',') + 1), 'base64'));
  }

  async function openMenu(): Promise<void> {
    await page.locator('.replay .view-menu summary').click();
    await page.locator('.replay .view-panel').waitFor(WAIT);
  }

  /** What is said of the middle of the picture. */
  async function nameInTheMiddle(): Promise<string> {
    await page.mouse.move(2, 2);
    await page.locator('.hover-name').waitFor({ ...WAIT, state: 'detached' });
    const box = (await page.locator('.replay-picture').boundingBox())!;
    await page.mouse.move(box.x + box.width / 2 - 5, box.y + box.height / 2);
    await page.mouse.move(box.x + box.width / 2, box.y + box.height / 2);
    await page.locator('.hover-name').waitFor(WAIT);
    return page.locator('.hover-name').innerText();
  }

  it('by every camera of the model, and the address says by which', async () => {
    await open('metaworld.reach-v3');
    const home = await seen();
    await openMenu();
    const cameras = await page.getByLabel('Camera', { exact: true }).locator('option').allInnerTexts();
    expect(cameras).toEqual([
      'free',
      'topview',
      'corner',
      'corner2',
      'corner3',
      'corner4',
      'behindGripper',
      'gripperPOV',
    ]);
    await page.getByLabel('Camera', { exact: true }).selectOption('corner3');
    const corner = await seen();
    expect(difference(corner, home)).toBeGreaterThan(0.02);
    await page.waitForFunction("location.search.includes('camera=@3')", undefined, WAIT);
    await page.reload();
    await page.locator('.replay [data-picture="ready"]').waitFor(WAIT);
    expect(difference(await seen(), corner)).toBeLessThan(0.001);
    await openMenu();
    await page.getByLabel('Camera', { exact: true }).selectOption('free');
    expect(difference(await seen(), home)).toBeLessThan(0.001);
  }, 150_000);

  it('with the groups that are wanted, at first those of MuJoCo', async () => {
    const before = await seen();
    const checked = await page.evaluate<boolean[]>(
      "[...document.querySelectorAll('.view-panel input')].map(({ checked }) => checked)",
    );
    expect(checked).toEqual([true, true, true, false, false, false, true, true, true, false, false, false]);
    // Collision shapes lie over the hand.
    await page.getByLabel('Geoms of group 4').check();
    const collision = await seen();
    expect(difference(collision, before)).toBeGreaterThan(0);
    await page.getByLabel('Geoms of group 4').uncheck();
    expect(difference(await seen(), before)).toBe(0);
    await page.getByLabel('Geoms of group 0').uncheck();
    await page.getByLabel('Geoms of group 1').uncheck();
    await page.getByLabel('Geoms of group 2').uncheck();
    const nothing = await seen();
    expect(difference(nothing, before)).toBeGreaterThan(0.05);
  }, 150_000);

  it('following a body, whose name is said where it is seen', async () => {
    await open('dmcontrol.walker-walk');
    await openMenu();
    for (const body of ['left_foot', 'torso']) {
      await page.getByLabel('Follow', { exact: true }).selectOption(body);
      await seen();
      expect(await nameInTheMiddle()).toContain(body);
    }
    // It stays in the middle at every step, and in a link.
    await page.evaluate('l2mReplay.seek(30)');
    await seen();
    expect(await nameInTheMiddle()).toContain('torso');
    await page.waitForFunction('/camera=[-0-9.,]+~[0-9]+/.test(location.search)', undefined, WAIT);
    if (process.env['L2M_SCREENSHOTS'] !== undefined)
      await page.locator('.replay').screenshot({ path: `${process.env['L2M_SCREENSHOTS']}/view-menu.png` });
    await page.mouse.move(2, 2);
    await page.locator('.hover-name').waitFor({ ...WAIT, state: 'detached' });
    expect(problems).toEqual([]);
  }, 150_000);
});
