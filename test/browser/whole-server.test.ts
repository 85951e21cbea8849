import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { LiveServer } from '../../server/build-server.ts';
import type { RunHandle } from '../../server/rollouts/run-service.ts';
import { browserSkipReason, launchChromium } from '../support/chromium.ts';
import { liveServer, shortRun, until } from '../support/live-server.ts';

const WAIT = { timeout: 120_000 };

/** The page against the whole server with real simulators: nothing is synthetic here. */
describe.skipIf(browserSkipReason() !== undefined)('the page of a live evaluation', () => {
  let server: LiveServer;
  let browser: Browser;
  let page: Page;
  let handle: RunHandle;
  const problems: string[] = [];

  beforeAll(async () => {
    server = await liveServer({ environments: 2 }, { serve: true });
    browser = await launchChromium();
    page = await browser.newPage({ viewport: { width: 1280, height: 900 } });
    page.on('pageerror', (error) => problems.push(error.message));
    page.on('console', (message) => {
      if (message.type() === 'error') problems.push(message.text());
    });
    await page.goto(`${server.url ?? ''}/?quality=low`);
    handle = await server.runs.start(
      shortRun({
        ...{ tasks: ['metaworld/reach-v3', 'dmcontrol/walker-walk'], episodes: 200, horizon: 200 },
        policy: { kind: 'random' },
      }),
    );
  });

  afterAll(async () => {
    await browser.close();
    await server.close();
  });

  it('shows every running environment and its task', async () => {
    await page.getByText('reach-v3').first().waitFor(WAIT);
    await page.getByText('walker-walk').first().waitFor(WAIT);
  });

  it('draws the robots from poses that the simulators stream', async () => {
    // Paused once poses have come: software rendering and simulators share two cores. Both tiles are in view, else
    // they would not be drawn.
    await until(
      'steps with a viewer',
      () => server.telemetry.load().viewers > 0 && handle.summary().finishedEpisodes > 1,
      90_000,
    );
    server.runs.pause(handle.run);
    try {
      await page.waitForFunction("!document.body.innerText.includes('Loading the scene')", undefined, WAIT);
      await page.waitForFunction("!document.body.innerText.includes('Waiting for the geometry')", undefined, WAIT);
      expect(await page.locator('canvas').count()).toBeGreaterThan(0);
    } finally {
      server.runs.resume(handle.run);
    }
  });

  it('fills the table as episodes end', async () => {
    await until('finished episodes', () => handle.summary().finishedEpisodes >= 4, 90_000);
    await page.waitForFunction('/\\b[1-9]\\d*\\s*\\/\\s*200/.test(document.body.innerText)', undefined, WAIT);
  });

  it('pauses and resumes the simulators from its button', async () => {
    // Dispatched clicks: on two busy cores there are no steady frames for Playwright's stability check.
    await page.getByRole('button', { name: /pause/i }).first().dispatchEvent('click', {}, WAIT);
    await until('the pause', () => handle.summary().state === 'paused', 60_000);
    await new Promise((resolve) => setTimeout(resolve, 700));
    const before = handle.summary().steps;
    await new Promise((resolve) => setTimeout(resolve, 700));
    expect(handle.summary().steps).toBe(before);
    await page
      .getByRole('button', { name: /resume/i })
      .first()
      .dispatchEvent('click', {}, WAIT);
    await until('running again', () => handle.summary().state === 'running', 60_000);
  });

  it('has no error in its console', () => {
    expect(problems).toEqual([]);
  });
});
