import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { LiveServer } from '../../../../server/build-server.ts';
import { OUTBOX_LIMITS } from '../../../../server/live/page-outbox.ts';
import { liveServer, shortRun } from '../../../support/live-server.ts';
import { metricFigures } from '../../../support/metric-figures.ts';
import { startViewers, type ViewerProcess } from '../../../support/viewer-process.ts';

const VIEWERS = 50;
const STALLED = 10;
/** Of the whole server: packed pictures are shared, and a stalled page is owed one picture and its events. */
const MOST_GROWTH_BYTES = 192 * 1024 * 1024;
/** Of one page: its queue, what its socket may hold, and one picture. */
const MOST_PAGE_BYTES = OUTBOX_LIMITS.queuedBytes + OUTBOX_LIMITS.socketBytes + 1024 * 1024;

interface Sample {
  readonly memory: number;
  readonly largestPage: number;
  readonly packed: number;
}

describe('fifty viewers, ten of them stalled', () => {
  let server: LiveServer;
  let viewers: ViewerProcess;
  let url: string;

  beforeAll(async () => {
    server = await liveServer({ environments: 4 }, { serve: true });
    url = server.url ?? '';
    viewers = await startViewers(url);
  });

  afterAll(async () => {
    await viewers.end();
    await server.close();
  });

  async function sample(): Promise<Sample> {
    const figures = await metricFigures(url);
    return {
      memory: figures.get('process_resident_memory_bytes') ?? 0,
      largestPage: figures.get('l2m_slowest_page_waiting_bytes') ?? Infinity,
      packed: figures.get('l2m_packed_frames_total') ?? 0,
    };
  }

  it('lose no event, cost one packing a picture, and leave queues and memory within their limits', async () => {
    const tasks = ['metaworld/reach-v3', 'dmcontrol/walker-walk'];
    // Everything that is loaded at first use is loaded.
    await (
      await server.runs.start(shortRun({ tasks, episodes: 2 }))
    ).over;
    const before = await sample();
    await viewers.open(VIEWERS, STALLED);
    expect((await (await fetch(`${url}/api/ready`)).json()) as object).toMatchObject({ state: 'ready' });
    const samples: Sample[] = [];
    const sampler = setInterval(() => void sample().then((taken) => samples.push(taken)), 200);
    const handle = await server.runs.start(shortRun({ tasks, episodes: 40, horizon: 60 }));
    const summary = await handle.over;
    clearInterval(sampler);

    expect(summary).toMatchObject({ state: 'finished', finishedEpisodes: 80, errorEpisodes: 0, redoneEpisodes: 0 });
    const { attentive, stalled } = await settled();
    expect(attentive).toMatchObject({ open: VIEWERS - STALLED, closed: 0, disordered: 0 });
    // Of each episode its start and its end, to each of them.
    expect(attentive.events).toBeGreaterThanOrEqual(2 * 80 * (VIEWERS - STALLED));
    expect(stalled.pictures).toBeLessThan(attentive.pictures / 4);

    // Figures are brought up to date once a second.
    while (((await metricFigures(url)).get('l2m_sent_frames_total') ?? 0) < attentive.pictures + stalled.pictures) {
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
    samples.push(await sample());
    const packed = (samples.at(-1)?.packed ?? 0) - before.packed;
    expect(packed).toBeGreaterThan(0);
    // A picture is made once and sent to all: fifty pages do not make fifty times the work.
    expect(attentive.pictures).toBeGreaterThan(packed);
    expect(attentive.pictures).toBeLessThanOrEqual(packed * (VIEWERS - STALLED));
    expect(Math.max(...samples.map(({ largestPage }) => largestPage))).toBeLessThanOrEqual(MOST_PAGE_BYTES);
    const growth = Math.max(...samples.map(({ memory }) => memory)) - before.memory;
    console.info(`${packed} pictures packed; memory grew by ${(growth / 2 ** 20).toFixed(0)} MiB`);
    expect(growth).toBeLessThan(MOST_GROWTH_BYTES);
  });

  /** Events that were on their way have arrived when no more come. */
  async function settled() {
    for (let before = -1; ;) {
      const report = await viewers.report();
      if (report.attentive.events === before) return report;
      before = report.attentive.events;
      await new Promise((resolve) => setTimeout(resolve, 500));
    }
  }
});
