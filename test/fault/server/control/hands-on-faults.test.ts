import { afterEach, describe, expect, it } from 'vitest';
import type { LiveServer } from '../../../../server/build-server.ts';
import { ControlPage } from '../../../support/control-page.ts';
import { liveServer, shortRun, until } from '../../../support/live-server.ts';

const KEY = 'worker-0:0';
let server: LiveServer | undefined;
const senders: NodeJS.Timeout[] = [];

afterEach(async () => {
  for (const sender of senders.splice(0)) clearInterval(sender);
  await server?.close();
  server = undefined;
});

describe('control over a simulator that dies', () => {
  it('survives its worker, in the middle of steering and dragging: the run goes on, the pause stays', async () => {
    server = await liveServer({ environments: 2 }, { serve: true });
    const page = await ControlPage.open(server);
    await page.sit();
    const handle = await server.runs.start(shortRun({ tasks: ['dmcontrol/walker-walk'], episodes: 4, horizon: 300 }));
    await until('an episode', () => page.episodeOf(KEY) > 0);
    page.command('worker-0:1', 'pause');
    senders.push(
      setInterval(() => {
        const episode = page.episodeOf(KEY);
        page.send({ type: 'teleoperate', key: KEY, episode, action: [1, 0, 0, 0, 0, 0] });
        page.send({ type: 'drag', key: KEY, episode, pull: { body: 1, point: [0, 0, 0], target: [0, 0, 2] } });
      }, 50),
    );
    await until('a person at work', () => page.handled(KEY)?.hand === 'person' && page.handled(KEY)?.dragged === true);
    const first = page.episodeOf(KEY);
    const [session] = server.fleet.hub.sessions().values();
    process.kill(session?.processId ?? 0, 'SIGKILL');
    // The worker comes back; the person goes on in the episode that begins there, and the other one still rests.
    await until('a person at work again', () => page.episodeOf(KEY) > first && page.handled(KEY)?.hand === 'person');
    await until('the pause', () => page.handled('worker-0:1')?.paused === true);
    clearInterval(senders.pop());
    page.command('worker-0:1', 'resume');
    const summary = await handle.over;
    expect(summary).toMatchObject({ state: 'finished', errorEpisodes: 0 });
    expect(summary.redoneEpisodes).toBeGreaterThan(0);
    // What was begun anew is assisted only where the person went on.
    expect(summary.finishedEpisodes + (summary.assistedEpisodes ?? 0)).toBe(4);
    expect(summary.assistedEpisodes).toBeGreaterThan(0);
    // The page hears of it a moment later.
    await until('nothing out of the ordinary', () => page.control().environments.length === 0);
  });

  it('hands back when the page dies, and lifts what it had set once nobody follows', async () => {
    server = await liveServer({ environments: 1 }, { serve: true });
    const page = await ControlPage.open(server);
    const spectator = await ControlPage.open(server);
    await page.sit();
    await until('the news', () => spectator.control().seat === 'other');
    const handle = await server.runs.start(shortRun({ tasks: ['dmcontrol/walker-walk'], episodes: 1, horizon: 100 }));
    await until('an episode', () => page.episodeOf(KEY) > 0);
    page.speed(KEY, 0.5);
    page.send({ type: 'teleoperate', key: KEY, episode: page.episodeOf(KEY), action: [1, 0, 0, 0, 0, 0] });
    await until('a person at work', () => spectator.handled(KEY)?.assisted === true);
    page.page.socket.terminate();
    await until('an empty seat', () => spectator.control().seat === 'free');
    await until('the policy', () => spectator.handled(KEY)?.hand === 'policy');
    expect(await handle.over).toMatchObject({ state: 'finished', finishedEpisodes: 0, assistedEpisodes: 1 });
  });
});
