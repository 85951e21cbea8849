import { afterEach, describe, expect, it } from 'vitest';
import type { RunSummary } from '../../../../protocol/dashboard-views.ts';
import type { LiveServer } from '../../../../server/build-server.ts';
import type { ServerConfig } from '../../../../server/config-schema.ts';
import { liveServer, shortRun, until } from '../../../support/live-server.ts';

let server: (LiveServer & { notes: string[] }) | undefined;

afterEach(async () => {
  await server?.close();
  server = undefined;
});

/** A server whose first worker process breaks in the given way; its replacement is sound. */
async function breaking(injection: string, settings: Partial<ServerConfig> = {}): Promise<RunSummary> {
  server = await liveServer(settings, {
    workerArguments: (_, launch) => (launch === 1 ? ['--inject', injection] : []),
  });
  const handle = await server.runs.start(shortRun());
  return handle.over;
}

function expectWhole(summary: RunSummary): void {
  expect(summary).toMatchObject({ state: 'finished', finishedEpisodes: 12, errorEpisodes: 0 });
  expect(summary.redoneEpisodes).toBeGreaterThan(0);
  expect(server?.fleet.restarts('worker-0')).toBe(1);
}

describe('a run with a real worker that breaks', () => {
  it('goes on when the worker is killed with SIGKILL in the middle', async () => {
    server = await liveServer();
    const handle = await server.runs.start(shortRun({ horizon: 400 }));
    await until('the first finished episode', () => handle.summary().finishedEpisodes > 0);
    const [session] = server.fleet.hub.sessions().values();
    process.kill(session?.processId ?? 0, 'SIGKILL');
    expectWhole(await handle.over);
    expect(server.notes.join('\n')).toMatch(/worker-0 was lost: its process ended: signal SIGKILL/);
  });

  it('goes on when the worker hangs in a step', async () => {
    const summary = await breaking('hang-after-steps=60', { stepDeadlineMs: 1500 });
    expectWhole(summary);
    expect(server?.notes.join('\n')).toMatch(/took longer than 1500 ms for step|silent for/);
  });

  it('goes on when the worker sends garbage', async () => {
    const summary = await breaking('garbage-after-steps=60');
    expectWhole(summary);
    expect(server?.notes.join('\n')).toMatch(/sent garbage/);
  });

  it('goes on when the worker crashes, and says with which exit code', async () => {
    expectWhole(await breaking('crash-after-steps=60'));
    expect(server?.notes.join('\n')).toMatch(/exit code 70/);
  });

  it('redoes an episode whose simulation became unstable', async () => {
    const summary = await breaking('unstable-after-steps=60');
    expect(summary).toMatchObject({ state: 'finished', finishedEpisodes: 12, errorEpisodes: 0, redoneEpisodes: 1 });
  });

  it('counts an episode that fails at every attempt as an error, apart from failures', async () => {
    server = await liveServer({ maxAttempts: 1 }, { workerArguments: () => ['--inject', 'fault-after-steps=60'] });
    const summary = await (await server.runs.start(shortRun())).over;
    expect(summary).toMatchObject({ state: 'finished', finishedEpisodes: 11, errorEpisodes: 1 });
  });

  it('fails with a clear error when workers break more often than the budget allows', async () => {
    server = await liveServer(
      { restartBudget: 2, maxAttempts: 50 },
      { workerArguments: () => ['--inject', 'crash-after-steps=10'] },
    );
    const summary = await (await server.runs.start(shortRun())).over;
    expect(summary.state).toBe('failed');
    expect(summary.message).toMatch(/L2M_WORKER_BUDGET/);
  });
});
