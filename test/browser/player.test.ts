import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import type { LiveServer } from '../../server/build-server.ts';
import { loadRecording, type LoadedRecording } from '../../server/recordings/load-recording.ts';
import { browserSkipReason, launchChromium } from '../support/chromium.ts';
import { liveServer, shortRun } from '../support/live-server.ts';
import { buildPage } from './support/live-page.ts';
import { brightness, difference, paintedPixels } from './support/page-probes.ts';

const WAIT = { timeout: 90_000 };
const HORIZON = 40;

/** The player on recordings as a server keeps them by default: poses of few, numbers of all. */
describe.skipIf(browserSkipReason() !== undefined)('the player', () => {
  let server: LiveServer;
  let browser: Browser;
  let page: Page;
  let run: string;
  let kept: string;
  let notKept: string;
  const problems: string[] = [];

  beforeAll(async () => {
    buildPage();
    server = await liveServer({ environments: 2 }, { serve: true });
    const recorded = await server.runs.start(
      shortRun({ tasks: ['metaworld/reach-v3'], episodes: 2, horizon: HORIZON, policy: { kind: 'random' } }),
    );
    run = (await recorded.over).run;
    await server.recordingsFlushed();
    // On a busy machine the first attempt is not always the one that came through.
    const { recordings } = await server.recordings.list(run, { limit: 9, offset: 0 });
    [kept = '', notKept = ''] = [0, 1].map((start) => recordings.find((each) => each.start === start)?.episode);
    browser = await launchChromium();
    page = await browser.newPage({ viewport: { width: 900, height: 700 } });
    page.on('pageerror', (error) => problems.push(error.message));
  });

  afterAll(async () => {
    await browser.close();
    await server.close();
  });

  const open = (episode: string, more = '') =>
    page.goto(`${server.url ?? ''}/?quality=low&run=${run}&episode=${episode}&step=20${more}`);
  const load = async (episode: string): Promise<LoadedRecording> =>
    loadRecording(await server.recordings.read(run, episode));

  it('has an episode simulated again whose poses were not kept, and shows it from then on', async () => {
    expect((await load(notKept)).header.pictures).toBe(0);
    await open(notKept);
    await page.getByText('No poses were recorded of this episode').waitFor(WAIT);
    await page.getByRole('button', { name: 'Rebuild all poses' }).click(WAIT);
    await page.locator('[data-picture=ready]').waitFor(WAIT);
    const { header, poses } = await load(notKept);
    expect(header.pictures).toBe(HORIZON + 1);
    const shown = await page.evaluate<number[]>('(l2mReplay.seek(20), Array.from(l2mReplay.newest.poses))');
    const width = header.poseRows * 7;
    expect(Float32Array.from(shown)).toEqual(poses.subarray(20 * width, 21 * width));
    expect(await page.getByRole('button', { name: 'Rebuild all poses' }).count()).toBe(0);
  }, 150_000);

  it('shows in lanes what was done at each step', async () => {
    const { executed } = await load(notKept);
    const at = (step: number) =>
      ['x', 'y', 'z', 'gripper'].map((name, part) => `${name} ${executed[step * 4 + part]!.toFixed(2)}`);
    const lanes = page.locator('.lanes');
    await vi.waitFor(async () => expect(await lanes.locator('li').allInnerTexts()).toEqual(at(20)), WAIT);
    await page.keyboard.press('.');
    await vi.waitFor(async () => expect(await lanes.locator('li').allInnerTexts()).toEqual(at(21)), WAIT);
    expect(await lanes.locator('canvas').getAttribute('aria-label')).toContain(at(21).join(', '));
    expect(await paintedPixels(page, '.lanes canvas')).toBeGreaterThan(HORIZON);
  });

  it('turns two pictures side by side together, whichever of them is turned', async () => {
    await open(kept, `&compare=${run}/${notKept}`);
    const leader = page.locator('.replay-picture').first();
    const companion = page.locator('[data-companion=ready] .replay-picture');
    for (const picture of [leader, companion]) await picture.and(page.locator('[data-picture=ready]')).waitFor(WAIT);
    const seen = async (index: number): Promise<Uint8Array> => {
      const png = await page.evaluate<string>(
        `document.querySelectorAll('.replay-picture canvas')[${index}].toDataURL()`,
      );
      return brightness(page, Buffer.from(png.slice(png.indexOf(',') + 1), 'base64'));
    };
    /** Where the pages says it is seen from. */
    const camera = () => page.evaluate<string | null>("new URLSearchParams(location.search).get('camera')");
    const other = await seen(1);
    await leader.focus();
    for (let times = 0; times < 8; times++) await page.keyboard.press('ArrowLeft');
    await vi.waitFor(async () => expect(difference(await seen(1), other)).toBeGreaterThan(0.01), WAIT);
    await vi.waitFor(async () => expect(await camera()).not.toBeNull(), WAIT);
    const before = await camera();
    const first = await seen(0);
    await companion.focus();
    for (let times = 0; times < 8; times++) await page.keyboard.press('ArrowLeft');
    await vi.waitFor(async () => expect(difference(await seen(0), first)).toBeGreaterThan(0.01), WAIT);
    await vi.waitFor(async () => expect(await camera()).not.toBe(before), WAIT);
    expect(problems).toEqual([]);
  }, 150_000);
});
