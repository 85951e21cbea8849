import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { KNOWN_TASKS } from '../../../agent/tasks/groups.ts';
import type { LiveServer } from '../../../server/build-server.ts';
import { liveServer, shortRun, until } from '../../support/live-server.ts';
import { TEST_BACKENDS } from '../../unit/agent/support/backend.ts';
import { writeRandomCheckpoint } from '../../support/random-checkpoint.ts';

const open: LiveServer[] = [];

async function started(...args: Parameters<typeof liveServer>) {
  const server = await liveServer(...args);
  open.push(server);
  return server;
}

afterEach(async () => {
  await Promise.all(open.splice(0).map((server) => server.close()));
});

const outcomesOf = async (server: LiveServer, run: string) =>
  (await server.store.latestEpisodes(run)).map(({ task, start, return: sum, firstSuccessStep }) => ({
    task,
    start,
    sum,
    firstSuccessStep,
  }));

describe('evaluations on real simulators', () => {
  it('give the same episodes however many environments and workers share them', async () => {
    const request = shortRun({ tasks: ['metaworld/reach-v3', 'dmcontrol/walker-walk'], episodes: 3 });
    const narrow = await started({ workers: 1, environments: 1 });
    const one = await (await narrow.runs.start(request)).over;
    const wide = await started({ workers: 2, environments: 3 });
    const many = await (await wide.runs.start(request)).over;
    expect(one).toMatchObject({ state: 'finished', finishedEpisodes: 6, errorEpisodes: 0, redoneEpisodes: 0 });
    expect(await outcomesOf(wide, many.run)).toEqual(await outcomesOf(narrow, one.run));
  });

  it('score the scripted expert as it deserves', async () => {
    const server = await started();
    const handle = await server.runs.start(
      shortRun({
        tasks: ['metaworld/drawer-open-v3'],
        episodes: 4,
        policy: { kind: 'expert', noises: [0] },
        horizon: 200,
      }),
    );
    const { tasks } = await handle.over;
    expect(tasks[0]).toMatchObject({ successAnyTime: { successes: 4, episodes: 4 }, successAtEnd: { successes: 4 } });
    expect(tasks[0]?.firstSuccessStep).toBeGreaterThan(20);
  });

  it('of different policies run at once, each to its own end', async () => {
    const server = await started({ environments: 6, maxBatch: 6 });
    const folder = join(server.config.data, 'random');
    await writeRandomCheckpoint(folder);
    const handles = await Promise.all([
      server.runs.start(
        shortRun({
          policy: { kind: 'checkpoint', folder },
          tasks: ['metaworld/reach-v3', 'dmcontrol/pendulum-swingup'],
        }),
      ),
      server.runs.start(shortRun({ policy: { kind: 'zero' } })),
      server.runs.start(shortRun({ policy: { kind: 'random' }, seed: 8 })),
    ]);
    const summaries = await Promise.all(handles.map((handle) => handle.over));
    for (const summary of summaries) expect(summary).toMatchObject({ state: 'finished', finishedEpisodes: 12 });
    const [modelRun] = summaries;
    // The native library decides with captured graphs unless somebody asks for something else.
    if (TEST_BACKENDS.includes('tensorflow')) expect(server.policies.backend).toMatch(/TensorFlow.*captured graphs/);
    const { episodes } = await server.store.listEpisodes(modelRun?.run ?? '', { limit: 50, offset: 0 });
    expect(episodes.every(({ policyVersion, similarityMean }) => policyVersion === 1 && similarityMean !== null)).toBe(
      true,
    );
  });

  it('stand still while paused, and go on', async () => {
    const server = await started();
    const handle = await server.runs.start(shortRun({ episodes: 8, horizon: 300 }));
    await until('a finished episode', () => handle.summary().finishedEpisodes > 0);
    server.runs.pause(handle.run);
    await new Promise((resolve) => setTimeout(resolve, 500));
    const paused = handle.summary();
    expect(paused.state).toBe('paused');
    await new Promise((resolve) => setTimeout(resolve, 500));
    expect(handle.summary().finishedEpisodes).toBe(paused.finishedEpisodes);
    server.runs.resume(handle.run);
    expect(await handle.over).toMatchObject({ state: 'finished', finishedEpisodes: 16 });
  });

  it('stop when told to, keep what was finished, and free their environments for others', async () => {
    const server = await started();
    const handle = await server.runs.start(shortRun({ episodes: 50, horizon: 200 }));
    await until('a finished episode', () => handle.summary().finishedEpisodes > 0);
    server.runs.stop(handle.run);
    const summary = await handle.over;
    expect(summary.state).toBe('stopped');
    expect(await server.store.latestEpisodes(handle.run)).toHaveLength(summary.finishedEpisodes);
    expect(() => server.runs.pause(handle.run)).toThrow(expect.objectContaining({ code: 'L2M_RUN_STATE' }) as Error);
    expect(await (await server.runs.start(shortRun())).over).toMatchObject({ state: 'finished' });
  });

  it('are exported as Parquet and JSON', async () => {
    const server = await started();
    const { run } = await (await server.runs.start(shortRun({ episodes: 2 }))).over;
    const [parquet, json] = ['episodes.parquet', 'run.json'].map((name) => join(server.config.data, name)) as [
      string,
      string,
    ];
    await server.store.exportRun(run, parquet, 'parquet');
    await server.store.exportRun(run, json, 'json');
    expect(readFileSync(parquet).subarray(0, 4).toString()).toBe('PAR1');
    expect((JSON.parse(readFileSync(json, 'utf8')) as { episodes: unknown[] }).episodes).toHaveLength(4);
    expect(existsSync(join(server.config.data, 'server.log'))).toBe(true);
  });

  it('refuse what cannot be done, before anything starts', async () => {
    const server = await started();
    const folder = join(server.config.data, 'random');
    await writeRandomCheckpoint(folder);
    const refusals: [Parameters<typeof shortRun>[0], string][] = [
      [{ tasks: ['dmcontrol/walker-wolk'] }, 'L2M_TASK_UNKNOWN'],
      [{ tasks: ['dmcontrol/hopper-hop'], policy: { kind: 'expert', noises: [0] } }, 'L2M_TASK_UNSUPPORTED'],
      [{ tasks: ['dmcontrol/dog-run'], policy: { kind: 'checkpoint', folder } }, 'L2M_TASK_UNSUPPORTED'],
      [{ policy: { kind: 'checkpoint', folder: join(folder, 'nowhere') } }, 'L2M_CHECKPOINT_INVALID'],
    ];
    for (const [changes, code] of refusals) {
      await expect(server.runs.start(shortRun(changes))).rejects.toMatchObject({ code });
    }
    await expect(server.runs.start(shortRun(), { resume: 'evaluate-0' })).rejects.toMatchObject({
      code: 'L2M_RUN_UNKNOWN',
    });
    expect(server.runs.summaries()).toEqual([]);
  });

  it('know exactly the tasks that the workers host', async () => {
    const server = await started();
    await until('a worker', () => server.fleet.readyCount > 0);
    const [session] = server.fleet.hub.sessions().values();
    expect([...(session?.tasks ?? [])].sort()).toEqual([...KNOWN_TASKS].sort());
  });
});
