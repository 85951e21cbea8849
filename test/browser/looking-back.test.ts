import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { decodePageEvent, unpackFrames } from '../../protocol/codec.ts';
import type { LiveServer } from '../../server/build-server.ts';
import type { RunHandle } from '../../server/rollouts/run-service.ts';
import { browserSkipReason, launchChromium } from '../support/chromium.ts';
import { liveServer, shortRun, until } from '../support/live-server.ts';
import { buildPage } from './support/live-page.ts';
import { brightness, difference } from './support/page-probes.ts';

const WAIT = { timeout: 60_000 };

/** Contacts in what a page was sent; -1 in all but pictures. */
function contactsIn(payload: Uint8Array): number {
  const frames = unpackFrames(payload);
  const decoded = frames.ok ? decodePageEvent(frames.value) : frames;
  if (!decoded.ok) throw new Error(decoded.error.message);
  const { message } = decoded.value;
  return message.type === 'frames' ? (message.contacts?.shape[0] ?? 0) : -1;
}

/** Real simulators go on while a person looks at what one of them just did. */
describe.skipIf(browserSkipReason() !== undefined)('looking back at a live environment', () => {
  let server: LiveServer;
  let browser: Browser;
  let page: Page;
  let live: RunHandle;
  const problems: string[] = [];
  let contactsTold: (count: number) => void = () => undefined;

  beforeAll(async () => {
    buildPage();
    server = await liveServer({ environments: 1 }, { serve: true });
    browser = await launchChromium();
    page = await browser.newPage({ viewport: { width: 1280, height: 900 } });
    page.on('pageerror', (error) => problems.push(error.message));
    page.on('websocket', (socket) =>
      socket.on('framereceived', ({ payload }) => {
        const count = contactsIn(Buffer.from(payload));
        if (count >= 0) contactsTold(count);
      }),
    );
    await page.goto(`${server.url ?? ''}/?quality=low`);
    live = await server.runs.start(
      shortRun({ tasks: ['dmcontrol/walker-walk'], episodes: 500, horizon: 300, policy: { kind: 'random' } }),
    );
    await page.locator('.tile [data-figure=step]').waitFor(WAIT);
    await page.waitForFunction("Number(document.querySelector('.past input')?.max) > 40", undefined, WAIT);
    // The picture is there, not only the numbers.
    await page.locator('.tile .viewport-note').waitFor({ ...WAIT, state: 'detached' });
  });

  afterAll(async () => {
    await browser.close();
    await server.close();
  });

  const bar = () => page.getByLabel('Look back');
  const pastStep = () => page.locator('[data-figure=past-step]').innerText();
  async function shown(): Promise<Uint8Array> {
    // Two animation frames: what was asked for is on the canvas.
    await page.evaluate(
      'new Promise((resolve) => setTimeout(() => requestAnimationFrame(() => requestAnimationFrame(resolve)), 300))',
    );
    // The bar itself moves on; the upper part of the picture is the robot alone.
    const box = (await page.locator('.tile .viewport').boundingBox())!;
    const clip = { x: box.x + 10, y: box.y + 40, width: box.width - 20, height: box.height - 90 };
    return brightness(page, await page.screenshot({ clip }));
  }

  /** The picture once it has come to rest: on a busy machine it is drawn a while after it was asked for. */
  async function still(): Promise<Uint8Array> {
    let last = await shown();
    await vi.waitFor(async () => {
      const [before, now] = [last, await shown()];
      last = now;
      expect(difference(now, before)).toBe(0);
    }, WAIT);
    return last;
  }

  /** Pixels of that colour in the picture of the environment, the bar below it left out. */
  async function colored(red: number, green: number, blue: number): Promise<number> {
    const box = (await page.locator('.tile .viewport').boundingBox())!;
    const png = (await page.screenshot({ clip: { ...box, height: box.height - 50 } })).toString('base64');
    return page.evaluate<number>(`(async () => {
      const image = await createImageBitmap(await (await fetch('data:image/png;base64,${png}')).blob());
      const flat = new OffscreenCanvas(image.width, image.height).getContext('2d');
      flat.drawImage(image, 0, 0);
      const { data } = flat.getImageData(0, 0, image.width, image.height);
      const wanted = [${red}, ${green}, ${blue}];
      let count = 0;
      for (let at = 0; at < data.length; at += 4) {
        if (wanted.every((value, channel) => Math.abs(data[at + channel] - value) < 12)) count++;
      }
      return count;
    })()`);
  }

  it('holds a picture while the environment goes on, as long as it is kept', async () => {
    const wanted = await page.evaluate<number>("Number(document.querySelector('.past input').max) - 10");
    await bar().fill(String(wanted));
    const step = await pastStep();
    const before = await still();
    const steps = live.summary().steps;
    await until('the environment to go on', () => live.summary().steps > steps + 100, 60_000);
    expect(await pastStep()).toBe(step);
    expect(await page.evaluate("document.querySelector('.past input').value")).toBe(String(wanted));
    expect(difference(await shown(), before)).toBe(0);
  }, 90_000);

  it('steps with the keys of a focused tile and comes back to live', async () => {
    const number = () => page.evaluate<number>("Number(document.querySelector('.past input').value)");
    const before = await number();
    const picture = await shown();
    await page.locator('.tile .viewport').focus();
    await page.keyboard.press(',');
    await page.keyboard.press(',');
    await page.keyboard.press('.');
    expect(await number()).toBe(before - 1);
    await bar().fill(String(before - 30));
    await vi.waitFor(async () => expect(difference(await shown(), picture)).toBeGreaterThan(0), WAIT);
    await page.getByRole('button', { name: /Live$/ }).dispatchEvent('click');
    await page.locator('.past-live').waitFor({ ...WAIT, state: 'attached' });
    const first = await shown();
    const { steps } = live.summary();
    await until('the environment to go on', () => live.summary().steps > steps + 40, 60_000);
    expect(difference(await shown(), first)).toBeGreaterThan(0);
    expect(problems).toEqual([]);
  }, 90_000);

  it('shows contacts and forces for as long as they are wanted, and is sent them only then', async () => {
    const told = (): Promise<number> =>
      new Promise((resolve) => {
        contactsTold = resolve;
      });
    // MuJoCo's colour of contact points.
    const marks = () => colored(230, 153, 51);
    const menu = page.locator('.tile .view-menu summary');
    const back = page.getByRole('button', { name: /Live$/ });
    if ((await back.count()) > 0) await back.dispatchEvent('click');
    expect(await told()).toBe(0);
    await menu.click();
    // Alone in the picture: bodies would hide them.
    for (const group of [0, 1, 2]) await page.getByLabel(`Geoms of group ${group}`).uncheck();
    await menu.click();
    expect(await marks()).toBe(0);
    await menu.click();
    await page.getByLabel('Contacts and forces').check();
    await menu.click();
    await vi.waitFor(async () => expect(await marks()).toBeGreaterThan(5), WAIT);
    // Longer than the pause between two words that keep the connection alive.
    await new Promise((resolve) => setTimeout(resolve, 12_000));
    await vi.waitFor(async () => expect(await told()).toBeGreaterThan(0), WAIT);
    await vi.waitFor(async () => expect(await marks()).toBeGreaterThan(5), WAIT);
    await menu.click();
    await page.getByLabel('Contacts and forces').uncheck();
    await vi.waitFor(async () => expect(await told()).toBe(0), WAIT);
    for (const group of [0, 1, 2]) await page.getByLabel(`Geoms of group ${group}`).check();
    await menu.click();
    expect(problems).toEqual([]);
  }, 180_000);

  it('is out of the way until it is wanted, and there for a pointer and for the keyboard', async () => {
    const opacity = () => page.evaluate<string>("getComputedStyle(document.querySelector('.past')).opacity");
    await page.evaluate('document.activeElement?.blur()');
    await page.mouse.move(0, 0);
    await page.waitForFunction("getComputedStyle(document.querySelector('.past')).opacity === '0'", undefined, WAIT);
    await page.locator('.tile .viewport').hover();
    await page.waitForFunction("getComputedStyle(document.querySelector('.past')).opacity === '1'", undefined, WAIT);
    await page.mouse.move(0, 0);
    await bar().focus();
    await page.waitForFunction("getComputedStyle(document.querySelector('.past')).opacity === '1'", undefined, WAIT);
    expect(await opacity()).toBe('1');
  });
});
