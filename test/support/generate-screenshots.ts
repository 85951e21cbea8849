import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Browser, Locator, Page } from 'playwright-core';
import { expandTasks } from '../../agent/tasks/expand-tasks.ts';
import type { LiveServer } from '../../server/build-server.ts';
import type { RunHandle } from '../../server/rollouts/run-service.ts';
import type { PolicyChoice, RunRequest } from '../../server/rollouts/run-request.ts';
import { buildPage } from '../browser/support/live-page.ts';
import { launchChromium } from './chromium.ts';
import { runL2m } from './l2m-command.ts';
import { liveServer, shortRun, temporaryFolder, until } from './live-server.ts';

/**
 * Makes the pictures of `dashboards/screenshots` anew, from a live server with the shipped policy and real simulators:
 * `node --import tsx test/support/generate-screenshots.ts [NAME...]` (Chromium needed, some minutes; `L2M_SCREENSHOTS` names
 * another folder). Look at them before they are kept.
 */
const root = join(import.meta.dirname, '..', '..');
const folder = process.env['L2M_SCREENSHOTS'] ?? join(root, 'dashboards', 'screenshots');
const SHIPPED: PolicyChoice = { kind: 'checkpoint', folder: join(root, 'agent', 'checkpoints', 'mt10') };
const PAIR = { task: 'metaworld/drawer-open-v3', start: 0 } as const;
const WAIT = { timeout: 300_000 };

interface Studio {
  readonly server: LiveServer;
  readonly browser: Browser;
  /** Runs of the shipped policy and of chance on the same starts. */
  readonly runs: Readonly<Record<'shipped' | 'random', string>>;
}

interface Look {
  readonly width?: number;
  readonly height?: number;
  readonly query?: string;
  readonly dark?: boolean;
}

async function open({ server, browser }: Studio, look: Look = {}): Promise<Page> {
  const page = await browser.newPage({
    viewport: { width: look.width ?? 1280, height: look.height ?? 900 },
    colorScheme: look.dark === true ? 'dark' : 'light',
    reducedMotion: 'reduce',
  });
  page.setDefaultTimeout(WAIT.timeout);
  await page.goto(`${server.url ?? ''}/?${look.query ?? ''}`);
  return page;
}

/** Every scene that is in view has been drawn, and has had time to be drawn once more. */
async function drawn(page: Page): Promise<void> {
  await page.locator('.viewport, .replay-picture').first().waitFor(WAIT);
  // A tile says that it is loading only after its first turn.
  await page.waitForTimeout(1000);
  await page.waitForFunction(
    `[...document.querySelectorAll('.viewport-note')].every((note) =>
      note.getBoundingClientRect().top > innerHeight)`,
    undefined,
    WAIT,
  );
  await page.waitForTimeout(6000);
}

async function keep(name: string, of: Page | Locator): Promise<void> {
  mkdirSync(folder, { recursive: true });
  await of.screenshot({ path: join(folder, `${name}.png`), ...WAIT });
  console.log(`${name}.png`);
}

const press = (page: Page, selector: string) => page.locator(selector).first().dispatchEvent('click', {}, WAIT);

/** A run that goes on while pictures are taken of it. */
async function live(
  studio: Studio,
  request: Partial<RunRequest>,
  act: (handle: RunHandle) => Promise<void>,
): Promise<void> {
  const handle = await studio.server.runs.start(shortRun({ episodes: 200, horizon: 200, policy: SHIPPED, ...request }));
  try {
    await until('steps', () => handle.summary().steps > 200, WAIT.timeout);
    await act(handle);
  } finally {
    if (handle.summary().state !== 'finished') studio.server.runs.stop(handle.run);
    await handle.over;
  }
}

/** Simulators and drawing by software would fight for the processor: what is to be seen is there already. */
async function paused(studio: Studio, { run }: RunHandle, act: () => Promise<void>): Promise<void> {
  studio.server.runs.pause(run);
  await act();
  studio.server.runs.resume(run);
}

const PICTURES: Readonly<Record<string, (studio: Studio) => Promise<void>>> = {
  empty: async (studio) => keep('empty', await open(studio, { height: 640 })),

  evaluation: (studio) =>
    live(studio, { tasks: expandTasks(['MT10', 'walker-walk', 'cartpole-balance']) }, async (handle) => {
      const page = await open(studio, { width: 1440, height: 1180, dark: true });
      await until('scores', () => handle.summary().finishedEpisodes >= 20, WAIT.timeout);
      await paused(studio, handle, async () => {
        await drawn(page);
        await keep('evaluation', page);
      });
      await page.close();
      const phone = await open(studio, { width: 390, height: 1400 });
      await paused(studio, handle, async () => {
        await drawn(phone);
        await keep('phone', phone);
      });
      await phone.close();
    }),

  large: (studio) =>
    live(
      studio,
      { tasks: ['metaworld/drawer-open-v3', 'dmcontrol/walker-walk', 'metaworld/push-v3'] },
      async (handle) => {
        const page = await open(studio, { height: 1250, query: 'env=worker-0:1' });
        let cut: () => Promise<void> = () => Promise.resolve();
        await page.routeWebSocket(/\/live$/, (socket) => {
          socket.connectToServer();
          cut = () => socket.close({ code: 1001 });
        });
        await page.reload();
        await paused(studio, handle, async () => {
          await drawn(page);
          await keep('large', page);
          await page.keyboard.press('?');
          await page.getByRole('dialog').waitFor();
          await keep('help', page);
          await page.keyboard.press('Escape');
          await page.setViewportSize({ width: 1280, height: 640 });
          await page.routeWebSocket(/\/live$/, (socket) => void socket.close({ code: 1001 }));
          await cut();
          await page.locator('.banner').waitFor();
          await keep('disconnected', page);
        });
        await page.close();
      },
    ),

  'looking-back': (studio) =>
    live(studio, { tasks: ['dmcontrol/walker-walk'], policy: { kind: 'random' } }, async (handle) => {
      const page = await open(studio, { height: 1000, query: 'env=worker-0:0' });
      await page.waitForFunction("Number(document.querySelector('.past input')?.max) > 60", undefined, WAIT);
      await press(page, '.tile-large .view-menu summary');
      await page.getByLabel('Contacts and forces').check();
      // By then it has fallen.
      await page.waitForFunction(
        "Number(document.querySelector('.tile-large [data-figure=step]').innerText) > 120",
        undefined,
        WAIT,
      );
      await paused(studio, handle, async () => {
        await drawn(page);
        await keep('view-menu', page.locator('.tile-large'));
        await press(page, '.tile-large .view-menu summary');
        await page.locator('.tile-large').getByLabel('Look back').fill('30');
        await drawn(page);
        await page.locator('.tile-large .viewport').hover();
        await keep('looking-back', page.locator('.tile-large'));
      });
      await page.close();
    }),

  control: (studio) =>
    live(studio, { tasks: ['metaworld/reach-v3'], horizon: 500, policy: { kind: 'zero' } }, async () => {
      const page = await open(studio, { height: 1000, query: 'quality=low&env=worker-0:0' });
      await drawn(page);
      await page.getByRole('button', { name: 'Take control' }).click();
      await page.getByLabel('What is controlled').selectOption('worker-0:0');
      await page.getByLabel('Speed').selectOption('0.1');
      const box = (await page.locator('.tile-large .viewport').boundingBox())!;
      await page.keyboard.down('Control');
      for (const [x, y] of [...GRID]) {
        await page.mouse.move(box.x + x * box.width, box.y + y * box.height);
        await page.mouse.down();
        if ((await page.locator('.viewport.dragging').count()) > 0) break;
        await page.mouse.up();
      }
      await page.mouse.move(box.x + 0.7 * box.width, box.y + 0.3 * box.height);
      await page.locator('.control-badge').first().waitFor();
      await drawn(page);
      await keep('control', page);
      await page.mouse.up();
      await page.keyboard.up('Control');
      await page.close();
    }),

  policy: (studio) =>
    live(
      studio,
      { tasks: ['metaworld/drawer-open-v3', 'metaworld/push-v3', 'metaworld/window-open-v3'] },
      async (handle) => {
        const page = await open(studio, { height: 2400, query: 'quality=low' });
        await press(page, '.policy .button');
        await page.locator('[data-view=pool] .plane').waitFor();
        await page.locator('[data-view=attention] select').first().selectOption('2');
        await page.locator('[data-view=attention] canvas').waitFor();
        await page.waitForTimeout(45_000);
        await paused(studio, handle, () => keep('policy', page.locator('.policy')));
        await page.close();
      },
    ),

  replay: async (studio) => {
    const { shipped, random } = studio.runs;
    const episodeOf = async (run: string): Promise<string> => {
      const { recordings } = await studio.server.recordings.list(run, { limit: 50, offset: 0, task: PAIR.task });
      return recordings.find(({ start }) => start === PAIR.start)?.episode ?? '';
    };
    const first = `run=${shipped}&episode=${await episodeOf(shipped)}&step=70`;
    const page = await open(studio, { height: 1100, query: `${first}&compare=${random}/${await episodeOf(random)}` });
    await page.locator('[data-companion=ready] [data-picture=ready]').waitFor();
    await drawn(page);
    await keep('replay', page.locator('.replay'));
    await page.getByRole('button', { name: 'Ghost' }).click();
    await drawn(page);
    await keep('ghost', page.locator('.replay'));
    await page.close();
  },

  results: async (studio) => {
    const page = await open(studio, { height: 1400, query: `runs=${studio.runs.random},${studio.runs.shipped}` });
    await page.locator('[data-compare-row]').first().waitFor();
    await page.locator('[data-curve=loss] canvas').waitFor();
    await page.waitForTimeout(2000);
    await page.evaluate("document.querySelector('[data-run-row]').closest('section').scrollIntoView()");
    await keep('results', page);
    await page.close();
  },
};

const GRID = [0.5, 0.42, 0.58, 0.34, 0.66].flatMap((y) =>
  [0.5, 0.46, 0.54, 0.42, 0.58, 0.38, 0.62].map((x) => [x, y] as const),
);

/** A small training on data of the scripted expert, for a curve that was really learned. */
async function train(data: string): Promise<void> {
  const run = async (args: readonly string[]): Promise<void> => {
    const { exitCode, stderr } = await runL2m([...args, '--data', data]);
    if (exitCode !== 0) throw new Error(`l2m ${args[0] ?? ''}: ${stderr.slice(-500)}`);
  };
  await run(['collect', '--tasks', 'reach-v3', '--episodes', '8', '--workers', '1', '--environments', '4']);
  await run(['pretrain', '--tasks', 'reach-v3', '--name', 'reach', '--updates', '150', '--batch', '16']);
}

async function main(names: readonly string[]): Promise<void> {
  const unknown = names.filter((name) => !(name in PICTURES));
  if (unknown.length > 0)
    throw new Error(`no such picture: ${unknown.join(', ')}; there are ${Object.keys(PICTURES).join(', ')}`);
  const chosen = names.length > 0 ? names : Object.keys(PICTURES);
  const data = temporaryFolder();
  buildPage();
  // Plain graphs: what XLA does in addition is compile for a minute.
  process.env['TF_XLA_FLAGS'] ??= '--tf_xla_auto_jit=0';
  if (chosen.includes('results')) await train(data.path);
  // Whoever makes pictures may have other things running: nothing here is in a hurry.
  const patient = { stepDeadlineMs: 120_000, startDeadlineMs: 600_000 };
  const server = await liveServer(
    { data: data.path, environments: chosen.includes('evaluation') ? 16 : 4, record: 'all', ...patient },
    { serve: true, note: console.error },
  );
  const browser = await launchChromium();
  const studio = { server, browser, runs: { shipped: '', random: '' } };
  try {
    if (chosen.includes('empty')) await PICTURES['empty']?.(studio);
    if (chosen.some((name) => name === 'replay' || name === 'results')) {
      const tasks = ['metaworld/drawer-open-v3', 'metaworld/window-open-v3', 'metaworld/push-v3'];
      for (const [name, policy] of [
        ['shipped', SHIPPED],
        ['random', { kind: 'random' }],
      ] as const) {
        const request = shortRun({ tasks, episodes: 8, horizon: 150, policy });
        studio.runs[name] = (await (await server.runs.start(request)).over).run;
      }
      await server.recordingsFlushed();
    }
    for (const name of chosen) if (name !== 'empty') await PICTURES[name]?.(studio);
  } finally {
    await browser.close();
    await server.close();
    data.remove();
  }
}

await main(process.argv.slice(2));
process.exit(0);
