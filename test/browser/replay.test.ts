import { readFile } from 'node:fs/promises';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { short } from '../../dashboards/format.ts';
import type { LiveServer } from '../../server/build-server.ts';
import type { RunHandle } from '../../server/rollouts/run-service.ts';
import { loadRecording } from '../../server/recordings/load-recording.ts';
import { resimulate } from '../../server/recordings/resimulate.ts';
import { browserSkipReason, launchChromium } from '../support/chromium.ts';
import { liveServer, shortRun, until } from '../support/live-server.ts';
import { brightness, difference } from './support/page-probes.ts';

const WAIT = { timeout: 60_000 };
const PICTURES_TO_SETTLE = 12;
const EPISODE = 'metaworld.reach-v3.0.1';
const HORIZON = 80;

/** Recordings of real simulators, played by the page while the simulators go on. */
describe.skipIf(browserSkipReason() !== undefined)('the replay of a recorded episode', () => {
  let server: LiveServer;
  let browser: Browser;
  let page: Page;
  let run: string;
  let live: RunHandle;
  const problems: string[] = [];

  beforeAll(async () => {
    server = await liveServer({ environments: 2, record: 'all' }, { serve: true });
    const policy = { kind: 'expert', noises: [0] } as const;
    const recorded = await server.runs.start(
      shortRun({ tasks: ['metaworld/reach-v3'], episodes: 2, horizon: HORIZON, policy }),
    );
    run = recorded.run;
    await recorded.over;
    await server.recordingsFlushed();
    browser = await launchChromium();
    page = await browser.newPage({ viewport: { width: 1280, height: 900 }, acceptDownloads: true });
    page.on('pageerror', (error) => problems.push(error.message));
    await page.goto(`${server.url ?? ''}/?quality=low`);
    await page.locator(`[data-episode="${EPISODE}"]`).dispatchEvent('click', {}, WAIT);
    await page.locator('[data-replay="ready"]').waitFor(WAIT);
    await page.locator('[data-picture="ready"]').waitFor(WAIT);
    // From here on other episodes are simulated and shown below.
    live = await server.runs.start(
      shortRun({ tasks: ['dmcontrol/cartpole-balance'], episodes: 500, horizon: 200, policy: { kind: 'random' } }),
    );
  });

  afterAll(async () => {
    await browser.close();
    await server.close();
  });

  /** Poses that the page has for a step, as the bytes of their numbers. */
  const shownAt = (tab: Page, step: number): Promise<string> =>
    tab.evaluate<string>(`(async () => {
      l2mReplay.seek(${step});
      const { poses } = l2mReplay.newest;
      const bytes = new Uint8Array(poses.buffer, poses.byteOffset, poses.byteLength);
      return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
    })()`);

  /** The picture of the open recording, once it is drawn. */
  async function seen(tab: Page): Promise<Uint8Array> {
    await tab.evaluate('new Promise((resolve) => setTimeout(resolve, 1200))');
    // On a busy machine that is fewer pictures than it takes for poses, ghost and camera to arrive.
    await tab.evaluate(`new Promise((resolve) => {
      let left = ${PICTURES_TO_SETTLE};
      const next = () => (left-- > 0 ? requestAnimationFrame(next) : resolve());
      next();
    })`);
    const png = await tab.evaluate<string>("document.querySelector('.replay-picture canvas').toDataURL()");
    return brightness(tab, Buffer.from(png.slice(png.indexOf(',') + 1), 'base64'));
  }

  it('shows the recorded poses bit for bit, which are those of the simulation', async () => {
    const recording = await loadRecording(await server.recordings.read(run, EPISODE));
    const { pictures, poseRows } = recording.header;
    expect(pictures).toBe(HORIZON + 1);
    const bytes = Buffer.from(recording.poses.buffer, recording.poses.byteOffset, recording.poses.byteLength);
    const width = poseRows * 28;
    for (let step = 0; step < pictures; step++) {
      expect(await shownAt(page, step)).toBe(bytes.subarray(step * width, (step + 1) * width).toString('hex'));
    }
    // What the scene was posed with last, once it has caught up with the last step.
    await page.waitForFunction('l2mReplay.shown?.byteOffset === l2mReplay.newest.poses.byteOffset', undefined, WAIT);
    const drawn = await page.evaluate<number[]>('Array.from(l2mReplay.shown)');
    expect(Float32Array.from(drawn)).toEqual(recording.poses.subarray(HORIZON * poseRows * 7));
    expect(await resimulate(recording, server.config)).toMatchObject({ kind: 'equal' });
  }, 90_000);

  it('marks the first success and goes step by step', async () => {
    const { recordings } = await server.recordings.list(run, { limit: 9, offset: 0 });
    const first = recordings.find(({ episode }) => episode === EPISODE)?.firstSuccessStep;
    expect(first).toBeGreaterThan(0);
    expect(await page.locator('[data-success]').getAttribute('data-success')).toBe(String(first));
    await page.getByLabel('Step', { exact: true }).fill('30');
    expect(await page.locator('[data-figure="replay-step"]').innerText()).toBe(`30 / ${HORIZON}`);
    await page.getByLabel('One step forward').dispatchEvent('click');
    await page.getByLabel('One step forward').dispatchEvent('click');
    await page.getByLabel('One step back').dispatchEvent('click');
    await page.waitForFunction('l2mReplay.position.value === 31', undefined, WAIT);
    await page.keyboard.press('.');
    await page.waitForFunction('l2mReplay.position.value === 32', undefined, WAIT);
  });

  it('plays at the chosen speed, stops at the end or begins anew', async () => {
    await page.getByLabel('Speed').selectOption('8');
    await page.getByLabel('Play', { exact: true }).dispatchEvent('click');
    await page.waitForFunction(`l2mReplay.position.value === ${HORIZON} && !l2mReplay.playing.value`, undefined, WAIT);
    await page.getByLabel('Loop').dispatchEvent('click');
    await page.getByLabel('Play', { exact: true }).dispatchEvent('click');
    await page.waitForFunction('(globalThis.seen ??= new Set()).add(l2mReplay.step) && seen.size > 3', undefined, WAIT);
    await page.evaluate('new Promise((resolve) => setTimeout(resolve, 600))');
    expect(await page.evaluate('l2mReplay.playing.value')).toBe(true);
    await page.keyboard.press(' ');
    expect(await page.evaluate('l2mReplay.playing.value')).toBe(false);
    expect(live.summary().state).toBe('running');
  });

  it('goes on beside what is live', async () => {
    const before = live.summary().finishedEpisodes;
    await until('more live episodes', () => live.summary().finishedEpisodes > before, 60_000);
    await page.locator('[data-task="dmcontrol/cartpole-balance"]').first().waitFor(WAIT);
    expect(await page.locator('[data-replay="ready"]').count()).toBe(1);
  });

  it('is reproduced by its address: run, episode, step and camera', async () => {
    await page.evaluate('l2mReplay.seek(41)');
    const picture = page.locator('.replay-picture');
    await picture.focus();
    for (const key of ['ArrowLeft', 'ArrowLeft', 'ArrowUp', '+']) await picture.press(key);
    await page.waitForFunction(
      "location.search.includes('step=41') && location.search.includes('camera=')",
      undefined,
      WAIT,
    );
    const address = page.url();
    const second = await browser.newPage({ viewport: { width: 1280, height: 900 } });
    await second.goto(address);
    await second.locator('[data-picture="ready"]').waitFor(WAIT);
    expect(await second.evaluate('l2mReplay.step')).toBe(41);
    await second.evaluate('new Promise((resolve) => setTimeout(resolve, 1000))');
    expect(second.url()).toBe(address);
    await second.close();
  });

  it('is compared with another one at the same step', async () => {
    // The list follows the run that leads; the recorded one is chosen.
    await page.locator(`[data-run-row="${run}"] .run-link`).dispatchEvent('click', {}, WAIT);
    await page.locator('[data-compare="metaworld.reach-v3.1.1"]').dispatchEvent('click', {}, WAIT);
    await page.locator('[data-companion="ready"] [data-picture="ready"]').waitFor(WAIT);
    const other = await loadRecording(await server.recordings.read(run, 'metaworld.reach-v3.1.1'));
    await page.evaluate('l2mReplay.seek(25)');
    const sum = other.rewards.subarray(0, 25).reduce((total, reward) => total + reward, 0);
    await page.waitForFunction(
      `document.querySelector('[data-figure="companion-return"]').innerText === ${JSON.stringify(short(sum))}`,
      undefined,
      WAIT,
    );
    await page.waitForFunction(`location.search.includes('compare=${run}/metaworld.reach-v3.1.1')`, undefined, WAIT);

    // By the end they have moved to different goals.
    await page.evaluate(`l2mReplay.seek(${HORIZON})`);
    await page.getByRole('button', { name: 'Ghost' }).dispatchEvent('click');
    await page.waitForFunction("location.search.includes('ghost=1')", undefined, WAIT);
    await page.waitForFunction("document.querySelectorAll('.replay-picture').length === 1", undefined, WAIT);
    const ghostly = await seen(page);
    const address = page.url();
    await page.getByRole('button', { name: 'Ghost' }).dispatchEvent('click');
    await page.locator('[data-companion="ready"] [data-picture="ready"]').waitFor(WAIT);
    await page.getByRole('button', { name: 'Ghost' }).dispatchEvent('click');
    await page.waitForFunction("location.search.includes('ghost=1')", undefined, WAIT);
    expect(difference(await seen(page), ghostly)).toBeLessThan(0.001);
    await page.getByRole('button', { name: 'Stop comparing' }).dispatchEvent('click');
    await page.locator('[data-companion]').waitFor({ state: 'detached', ...WAIT });
    const alone = await seen(page);
    const apart = difference(alone, ghostly);
    console.info(`a ghost changes the picture by ${apart.toFixed(5)}`);
    expect(apart).toBeGreaterThan(0.002);

    // The ghost is part of the address too.
    const second = await browser.newPage({ viewport: { width: 1280, height: 900 } });
    await second.goto(address);
    await second.locator('[data-companion="ready"].replay-ghost').waitFor(WAIT);
    await second.locator('[data-picture="ready"]').waitFor(WAIT);
    expect(difference(await seen(second), ghostly)).toBeLessThan(0.001);
    if (process.env['L2M_SCREENSHOTS'] !== undefined)
      await second.locator('.replay').screenshot({ path: `${process.env['L2M_SCREENSHOTS']}/ghost.png` });
    await second.close();
  }, 90_000);

  it('gives pictures, films and files', async () => {
    const take = async (name: string): Promise<Buffer> => {
      const download = page.waitForEvent('download', WAIT);
      await page.getByRole('button', { name, exact: true }).dispatchEvent('click');
      return readFile(await (await download).path());
    };
    expect((await take('Screenshot')).subarray(1, 4).toString()).toBe('PNG');
    await page.getByLabel('Speed').selectOption('1');
    const film = await take('WebM');
    expect(film.readUInt32BE(0)).toBe(0x1a45dfa3);
    expect(film.length).toBeGreaterThan(2000);
    const file = await take('Save file');
    expect(file.length).toBeGreaterThan(10_000);
  }, 60_000);

  it('goes back to live and takes the recording out of the address', async () => {
    await page.getByRole('button', { name: 'Back to live' }).dispatchEvent('click');
    await page.locator('.replay').waitFor({ state: 'detached', ...WAIT });
    await page.waitForFunction("!location.search.includes('episode=')", undefined, WAIT);
    expect(problems).toEqual([]);
  });

  it('plays a file that is dropped on the page when the server has gone', async () => {
    const address = `${server.url ?? ''}/api/runs/${run}/recordings/${EPISODE}?scene=true`;
    const file = Buffer.from(await (await fetch(address)).arrayBuffer());
    await page.route('**/{api,scene}/**', (route) => route.abort());
    await page.evaluate(`(() => {
      const bytes = Uint8Array.from(atob(${JSON.stringify(file.toString('base64'))}), (character) => character.charCodeAt(0));
      const transfer = new DataTransfer();
      transfer.items.add(new File([bytes], 'reach.l2mrec'));
      document.body.dispatchEvent(new DragEvent('drop', { dataTransfer: transfer, bubbles: true, cancelable: true }));
    })()`);
    await page.locator('[data-picture="ready"]').waitFor(WAIT);
    const recording = await loadRecording(file);
    expect(await shownAt(page, 7)).toHaveLength(recording.header.poseRows * 28 * 2);
    const other = `(() => {
      const transfer = new DataTransfer();
      transfer.items.add(new File(['something else'], 'notes.txt'));
      document.body.dispatchEvent(new DragEvent('drop', { dataTransfer: transfer, bubbles: true, cancelable: true }));
    })()`;
    await page.evaluate(other);
    await page.getByText('This is not a recording of this project').waitFor(WAIT);
  }, 60_000);
});
