/**
 * What viewers cost: the rollout rate with 0, 10 and 50 of them (of the fifty, ten stalled), in turns within one run, the server's memory
 * with them, and pictures a second of the grid with 16 environments in a headless Chromium.
 * `npm run bench -- viewers [--rounds 7] [--environments 16] [--episodes 12] [--task reach-v3] [--no-browser]`
 */
import { parseArgs } from 'node:util';
import { expandTasks } from '../../agent/tasks/expand-tasks.ts';
import type { LiveServer } from '../../server/build-server.ts';
import type { TaskId } from '../../protocol/task.ts';
import { browserSkipReason, launchChromium } from '../support/chromium.ts';
import { liveServer, shortRun } from '../support/live-server.ts';
import { metricFigures } from '../support/metric-figures.ts';
import { startViewers, type ViewerProcess } from '../support/viewer-process.ts';
import { describeMachine } from './machine.ts';
import { median, ratiosOf, spread } from './turns.ts';

/** Number of viewers and how many of them do not keep up. */
const CROWDS = [
  [0, 0],
  [10, 0],
  [50, 10],
] as const;
const HORIZON = 200;
const GRID_ENVIRONMENTS = 16;

const { values: flags } = parseArgs({
  options: {
    rounds: { type: 'string', default: '7' },
    environments: { type: 'string', default: '16' },
    episodes: { type: 'string', default: '12' },
    task: { type: 'string', default: 'reach-v3' },
    'no-browser': { type: 'boolean', default: false },
  },
});
const [rounds, environments, episodes] = [flags.rounds, flags.environments, flags.episodes].map(Number) as [
  number,
  number,
  number,
];
const [task = ''] = expandTasks([flags.task]);

interface Turn {
  readonly rate: number;
  readonly memoryMiB: number;
  readonly pictures: number;
}

/** The no-op policy: whatever viewers cost is the larger share, the less the rest does. */
function rollout(server: LiveServer, runTask: TaskId, each: number): Promise<{ steps: number; seconds: number }> {
  const request = shortRun({ tasks: [runTask], episodes: each, horizon: HORIZON, policy: { kind: 'zero' } });
  return server.runs.start(request).then(async (handle) => {
    const startMs = performance.now();
    const { steps } = await handle.over;
    return { steps, seconds: (performance.now() - startMs) / 1000 };
  });
}

async function turn(server: LiveServer, viewers: ViewerProcess, crowd: readonly [number, number]): Promise<Turn> {
  const [count, stalled] = crowd;
  if (count > 0) await viewers.open(count, stalled);
  const { steps, seconds } = await rollout(server, task, episodes * environments);
  const { attentive } = await viewers.report();
  const figures = await metricFigures(server.url ?? '');
  await viewers.leave();
  return {
    rate: steps / seconds,
    memoryMiB: (figures.get('process_resident_memory_bytes') ?? 0) / 2 ** 20,
    pictures: count === 0 ? 0 : attentive.pictures / (count - stalled) / seconds,
  };
}

async function measureCrowds(): Promise<void> {
  const server = await liveServer({ environments }, { serve: true });
  const viewers = await startViewers(server.url ?? '');
  try {
    await rollout(server, task, environments);
    const results = CROWDS.map((): Turn[] => []);
    for (let round = 0; round < rounds; round++) {
      for (const [index, crowd] of CROWDS.entries()) results[index]?.push(await turn(server, viewers, crowd));
    }
    const alone = results[0]?.map(({ rate }) => rate) ?? [];
    process.stdout.write(
      `${describeMachine()}\n${task}, ${environments} environments in one worker, no-op policy, ` +
        `${rounds} rounds of ${episodes * environments} episodes of ${HORIZON} steps\n`,
    );
    for (const [index, [count, stalled]] of CROWDS.entries()) {
      const turns = results[index] ?? [];
      const rates = turns.map(({ rate }) => rate);
      // More than 1 is faster than without anybody; at least 0.97 is wanted.
      const share = spread(ratiosOf(rates, alone));
      const name = `${count} viewers${stalled > 0 ? `, ${stalled} of them stalled` : ''}`;
      process.stdout.write(
        `  ${name.padEnd(30)} ${median(rates).toFixed(0).padStart(6)} steps/s  ${share} of the rate alone  ` +
          `${median(turns.map(({ memoryMiB }) => memoryMiB)).toFixed(0)} MiB  ` +
          `${median(turns.map(({ pictures }) => pictures)).toFixed(1)} pictures/s each\n`,
      );
    }
  } finally {
    await viewers.end();
    await server.close();
  }
}

async function measureGrid(): Promise<void> {
  if (browserSkipReason() !== undefined) return;
  const server = await liveServer({ environments: GRID_ENVIRONMENTS }, { serve: true });
  const browser = await launchChromium();
  try {
    const handle = await server.runs.start(
      shortRun({ tasks: [task], episodes: 100_000, horizon: HORIZON, policy: { kind: 'zero' } }),
    );
    const tab = await browser.newPage({ viewport: { width: 1280, height: 1100 } });
    await tab.goto(`${server.url ?? ''}/`);
    await tab.getByRole('button', { name: /^Show all/ }).click({ timeout: 120_000 });
    await tab.waitForFunction("!document.body.innerText.includes('Loading the scene')", undefined, {
      timeout: 120_000,
    });
    const rates: number[] = [];
    for (let second = 0; second < 15; second++) {
      await new Promise((resolve) => setTimeout(resolve, 1000));
      const shown = Number(await tab.locator('[data-figure=fps]').innerText());
      if (second >= 5 && Number.isFinite(shown)) rates.push(shown);
    }
    server.runs.stop(handle.run);
    process.stdout.write(
      `grid of ${GRID_ENVIRONMENTS} environments, 1280 × 1100, software rendering beside the simulators: ` +
        `${median(rates).toFixed(0)} pictures/s (${Math.min(...rates)}–${Math.max(...rates)})\n`,
    );
    await handle.over;
  } finally {
    await browser.close();
    await server.close();
  }
}

await measureCrowds();
if (!flags['no-browser']) await measureGrid();
