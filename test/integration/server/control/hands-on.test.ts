import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { recordingId } from '../../../../protocol/recording.ts';
import type { LiveServer } from '../../../../server/build-server.ts';
import { loadRecording, type LoadedRecording } from '../../../../server/recordings/load-recording.ts';
import { resimulate } from '../../../../server/recordings/resimulate.ts';
import { immediateDecision, type ActingPolicy } from '../../../../server/rollouts/acting-policy.ts';
import type { RunHandle } from '../../../../server/rollouts/run-service.ts';
import { ControlPage } from '../../../support/control-page.ts';
import { liveServer, shortRun, temporaryFolder, until } from '../../../support/live-server.ts';

const KEY = 'worker-0:0';
const REACH = 'metaworld/reach-v3';
const open: { close(): Promise<void> }[] = [];

afterEach(async () => {
  await Promise.all(open.splice(0).map((server) => server.close()));
});

async function started(settings: Parameters<typeof liveServer>[0] = {}) {
  const server = await liveServer({ environments: 1, record: 'all', ...settings }, { serve: true });
  open.push(server);
  const page = await ControlPage.open(server);
  await page.sit();
  return { server, page };
}

/** The step that the only environment shows while it rests; -1 while it moves. */
function restsAt(server: LiveServer): number {
  const slot = server.fleet.hub.sessions().get('worker-0')?.slots[0];
  return slot?.state === 'waiting' ? slot.step : -1;
}

/** A run whose only environment rests at its first step. */
async function resting(
  server: LiveServer,
  page: ControlPage,
  ...[request, options]: Parameters<LiveServer['runs']['start']>
) {
  const handle = await server.runs.start(request, options);
  server.runs.pause(handle.run);
  await until('the start', () => restsAt(server) === 0);
  page.command(KEY, 'pause');
  await until('the pause', () => page.handled(KEY)?.paused === true);
  server.runs.resume(handle.run);
  return handle;
}

async function step(server: LiveServer, page: ControlPage): Promise<void> {
  const before = restsAt(server);
  page.command(KEY, 'step');
  await until(`step ${before + 1}`, () => restsAt(server) === before + 1);
}

async function recordingOf(server: LiveServer, handle: RunHandle, task = REACH): Promise<LoadedRecording> {
  await handle.over;
  await server.recordingsFlushed();
  return loadRecording(await server.recordings.read(handle.run, recordingId({ task, start: 0, attempt: 1 })));
}

const one = (changes: Parameters<typeof shortRun>[0] = {}) => shortRun({ tasks: [REACH], episodes: 1, ...changes });

/** Always the same action; remembers what it was shown to have been executed. */
function stubborn(seen: number[][]): ActingPolicy {
  return {
    name: 'stubborn',
    assertSupports: () => undefined,
    begin: ({ actionSize }) => ({
      decide: (row) => {
        if (row.step > 0) seen.push([...row.executed.subarray(0, actionSize)]);
        return immediateDecision(new Float32Array(actionSize).fill(-0.5));
      },
    }),
  };
}

describe('a person in control of a simulation', () => {
  it('pauses, steps and paces an episode without changing a bit of it or losing it', async () => {
    const { server, page } = await started({ stepDeadlineMs: 400 });
    const undisturbed = await recordingOf(server, await server.runs.start(one()));
    const handle = await resting(server, page, one());
    for (let count = 0; count < 3; count++) await step(server, page);
    // Longer than a step may take, and than a worker may be silent between two heartbeats.
    const restedMs = 2500;
    await new Promise((resolve) => setTimeout(resolve, restedMs));
    expect(restsAt(server)).toBe(3);
    page.speed(KEY, 4);
    page.command(KEY, 'resume');
    await until('the end of the pause', () => page.handled(KEY)?.paused !== true);
    const disturbed = await recordingOf(server, handle);
    const { header: before, ...sections } = undisturbed;
    const { header: after, ...others } = disturbed;
    expect(others).toEqual(sections);
    expect(after.return).toBe(before.return);
    expect(after.assistedSteps).toBeUndefined();
    expect(handle.summary()).toMatchObject({ finishedEpisodes: 1, redoneEpisodes: 0 });
    const { episodes } = await server.store.listEpisodes(handle.run, { limit: 1, offset: 0 });
    // 37 steps of 12.5 ms at four times the speed of the world, however slow the machine: the rest was no step's time.
    const [elapsed] = [(Date.parse(after.finishedAt) - Date.parse(handle.summary().startedAt)) / 1000];
    expect(episodes[0]?.wallSeconds).toBeLessThan(elapsed - (0.9 * restedMs) / 1000);
  });

  it('steers through the policy and back without a jump; the policy sees what was done; nothing of it is scored', async () => {
    const { server, page } = await started();
    const seen: number[][] = [];
    const handle = await resting(server, page, one(), { policy: stubborn(seen) });
    const episode = page.episodeOf(KEY);
    for (let count = 0; count < 7; count++) {
      page.send({ type: 'teleoperate', key: KEY, episode, action: [1, 0, 0, 1] });
      await step(server, page);
    }
    expect(page.handled(KEY)).toMatchObject({ hand: 'person', assisted: true });
    page.send({ type: 'teleoperate', key: KEY, episode, action: null });
    for (let count = 0; count < 6; count++) await step(server, page);
    await until('the policy', () => page.handled(KEY)?.hand === 'policy');
    const first = [-0.2, 0.1, 0.4, 0.7, 1, 1, 1, 0.7, 0.4, 0.1, -0.2, -0.5];
    expect(seen.slice(0, 12).map((action) => Math.round((action[0] ?? 0) * 100) / 100)).toEqual(first);
    page.command(KEY, 'resume');
    const recorded = await recordingOf(server, handle);
    expect(recorded.header.assistedSteps).toBe(11);
    expect(seen.flat()).toEqual([...recorded.executed].slice(0, seen.length * 4));
    const summary = await handle.over;
    expect(summary).toMatchObject({ state: 'finished', finishedEpisodes: 0, errorEpisodes: 0, assistedEpisodes: 1 });
    expect(summary.tasks[0]).toMatchObject({
      assisted: 1,
      finished: 0,
      successAnyTime: { episodes: 0 },
      meanReturn: null,
    });
    expect(await server.store.latestEpisodes(handle.run)).toMatchObject([{ assistedSteps: 11 }]);
    expect(page.page.last('episode-ended')).toMatchObject({ assistedSteps: 11 });
    expect(await server.store.getRun(handle.run)).toMatchObject({ finishedEpisodes: 0, assistedEpisodes: 1 });
  });

  it('leaves a start owed to whoever goes on with the run', async () => {
    const folder = temporaryFolder();
    open.push({
      close: () => {
        folder.remove();
        return Promise.resolve();
      },
    });
    const { server, page } = await started({ data: folder.path });
    const handle = await resting(server, page, one());
    page.send({ type: 'teleoperate', key: KEY, episode: page.episodeOf(KEY), action: [1, 0, 0, 1] });
    await step(server, page);
    page.command(KEY, 'resume');
    expect(await handle.over).toMatchObject({ state: 'finished', finishedEpisodes: 0, assistedEpisodes: 1 });
    await open.pop()?.close();
    const { server: next } = await started({ data: folder.path });
    const again = await (await next.runs.start(one(), { resume: handle.run })).over;
    expect(again).toMatchObject({ state: 'finished', finishedEpisodes: 1 });
    expect(again.assistedEpisodes).toBeUndefined();
    expect((await next.store.listEpisodes(handle.run, { limit: 9, offset: 0 })).episodes).toMatchObject([
      { attempt: 1, assistedSteps: expect.any(Number) as number },
      { attempt: 2, assistedSteps: 0 },
    ]);
  });

  it('drags a body; the recording has the pulls, so that it can be simulated again bit for bit', async () => {
    const { server, page } = await started();
    const undisturbed = await recordingOf(server, await server.runs.start(one()));
    const handle = await resting(server, page, one());
    const episode = page.episodeOf(KEY);
    const pull = { body: 1, point: [0, 0, 0], target: [0, 0.8, 0.9] };
    page.send({ type: 'drag', key: KEY, episode, pull: { ...pull, body: 9999 } });
    await until('a refusal', () => page.warning().includes('body 9999'));
    expect(page.warning()).toMatch(/Cannot drag in worker-0:0: .*those of metaworld\/reach-v3 are 1 to \d+/);
    const bodies = Number(/1 to (\d+)/.exec(page.warning())?.[1]);
    expect(bodies).toBeGreaterThan(20);
    for (let body = 5; body < 12; body++) {
      page.send({ type: 'drag', key: KEY, episode, pull: { ...pull, body } });
      await until('the pull', () => page.handled(KEY)?.dragged === true);
      await step(server, page);
    }
    await until('letting go in silence', () => page.handled(KEY)?.dragged === false);
    page.command(KEY, 'resume');
    const recorded = await recordingOf(server, handle);
    expect(recorded.header.assistedSteps).toBeGreaterThan(0);
    expect([...(recorded.pulls ?? [])].filter((_, index) => index % 7 === 0).some((body) => body >= 5)).toBe(true);
    expect(recorded.observationChecks).not.toEqual(undisturbed.observationChecks);
    expect(await resimulate(recorded, server.config)).toMatchObject({ kind: 'equal' });
    // Without the pulls it would not be the same.
    expect(await resimulate({ ...recorded, pulls: undefined }, server.config)).toMatchObject({ kind: 'different' });
    expect(handle.summary()).toMatchObject({ finishedEpisodes: 0, assistedEpisodes: 1 });
  });

  it('takes over from a scripted expert, whose actions only the worker knows', async () => {
    const { server, page } = await started();
    const handle = await resting(server, page, one({ policy: { kind: 'expert', noises: [0] } }));
    const episode = page.episodeOf(KEY);
    for (let count = 0; count < 6; count++) {
      page.send({ type: 'teleoperate', key: KEY, episode, action: [-1, -1, 0, 1] });
      await step(server, page);
    }
    page.command(KEY, 'resume');
    const { executed, header } = await recordingOf(server, handle);
    expect([...executed.slice(5 * 4, 6 * 4)]).toEqual([-1, -1, 0, 1]);
    expect(executed[0]).not.toBe(-1);
    expect(header.assistedSteps).toBeGreaterThanOrEqual(6);
  });

  it('begins an episode anew where it stands', async () => {
    const { server, page } = await started();
    const handle = await resting(server, page, one());
    for (let count = 0; count < 4; count++) await step(server, page);
    page.command(KEY, 'reset');
    await until('the start', () => restsAt(server) === 0);
    expect(page.handled(KEY)?.paused).toBe(true);
    page.command(KEY, 'resume');
    expect(await handle.over).toMatchObject({ finishedEpisodes: 1, redoneEpisodes: 0, state: 'finished' });
  });

  it('commands all environments of a run', async () => {
    const { server, page } = await started({ environments: 3 });
    const handle = await server.runs.start(shortRun({ tasks: [REACH], episodes: 6, horizon: 30 }));
    const target = { kind: 'run', run: handle.run } as const;
    page.send({ type: 'control-simulation', target, command: { kind: 'pause' } });
    await until('the pause', () => handle.summary().state === 'paused');
    const slots = () => server.fleet.hub.sessions().get('worker-0')?.slots ?? [];
    await until('rest', () => slots().every(({ state }) => state === 'waiting'));
    const stepsOf = () => slots().map((slot) => (slot.state === 'waiting' ? slot.step : -1));
    const before = stepsOf();
    page.send({ type: 'control-simulation', target, command: { kind: 'step' } });
    await until('a step of each', () => stepsOf().every((each, index) => each === (before[index] ?? 0) + 1));
    page.send({ type: 'control-simulation', target, command: { kind: 'speed', speed: 100 } });
    await until('the speed', () => page.control().speeds[0]?.speed === 100);
    page.send({ type: 'control-simulation', target, command: { kind: 'resume' } });
    expect(await handle.over).toMatchObject({ state: 'finished', finishedEpisodes: 6 });
    await until('no speed of a run that is over', () => page.control().speeds.length === 0);
  });

  it('is for operators: a viewer sees who controls and cannot ask for it', async () => {
    const folder = temporaryFolder();
    const tokens = { viewer: 'v'.repeat(20), operator: 'o'.repeat(20), admin: 'a'.repeat(20), worker: 'w'.repeat(20) };
    writeFileSync(join(folder.path, 'tokens.json'), JSON.stringify(tokens));
    const server = await liveServer({ tokens: join(folder.path, 'tokens.json') }, { serve: true });
    open.push({ close: () => server.close().finally(folder.remove) });
    const viewer = await ControlPage.open(server, tokens.viewer);
    viewer.seat('request');
    await until('a refusal', () => viewer.warning().includes('role viewer'));
    const operator = await ControlPage.open(server, tokens.operator);
    await operator.sit();
    await until('the news', () => viewer.control().seat === 'other');
    viewer.seat('steal');
    viewer.command(KEY, 'pause');
    await until('another refusal', () => viewer.warning().includes('Cannot pause worker-0:0'));
    expect(operator.control()).toMatchObject({ seat: 'mine', waiting: 0 });
    operator.command(KEY, 'pause');
    await until('no such environment', () => operator.warning().includes('No episode runs in this environment'));
  });

  it('ends what rests when the run drains', async () => {
    const { server, page } = await started();
    const handle = await resting(server, page, one());
    await server.runs.drain(20_000);
    expect(await handle.over).toMatchObject({ finishedEpisodes: 1, state: 'finished' });
  });
});
