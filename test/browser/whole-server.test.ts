import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { LiveServer } from '../../server/build-server.ts';
import type { RunHandle } from '../../server/rollouts/run-service.ts';
import { browserSkipReason, launchChromium } from '../support/chromium.ts';
import { liveServer, shortRun, until } from '../support/live-server.ts';

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
    page = await browser.newPage({ viewport: { width: 640, height: 700 } });
    page.on('pageerror', (error) => problems.push(error.message));
    page.on('console', (message) => {
      if (message.type() === 'error') problems.push(message.text());
    });
    await page.goto(server.url ?? '');
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
    await page.getByText('reach-v3').first().waitFor({ timeout: 60_000 });
    await page.getByText('walker-walk').first().waitFor({ timeout: 60_000 });
  });

  it('draws the robots from poses that the simulators stream', async () => {
    const canvas = page.locator('canvas').first();
    await canvas.waitFor({ timeout: 60_000 });
    await page.waitForFunction("!document.body.innerText.includes('Loading the scene')", undefined, {
      timeout: 120_000,
    });
  });

  it('fills the table as episodes end', async () => {
    await until('finished episodes', () => handle.summary().finishedEpisodes >= 4, 90_000);
    await page.waitForFunction('/\\b[1-9]\\d*\\s*\\/\\s*200/.test(document.body.innerText)', undefined, {
      timeout: 60_000,
    });
  });

  it('pauses and resumes the simulators from its button', async () => {
    // A dispatched click: software rendering on two busy cores leaves no steady frames for Playwright's stability check.
    await page.getByRole('button', { name: /pause/i }).first().dispatchEvent('click');
    await until('the pause', () => handle.summary().state === 'paused', 30_000);
    await new Promise((resolve) => setTimeout(resolve, 700));
    const before = handle.summary().steps;
    await new Promise((resolve) => setTimeout(resolve, 700));
    expect(handle.summary().steps).toBe(before);
    await page
      .getByRole('button', { name: /resume/i })
      .first()
      .dispatchEvent('click');
    await until('running again', () => handle.summary().state === 'running', 30_000);
  });

  it('has no error in its console', () => {
    expect(problems).toEqual([]);
  });
});
