import { describe, expect, it } from 'vitest';
import type { RunSummary } from '../../../../protocol/dashboard-views.ts';
import type { LiveServer } from '../../../../server/build-server.ts';
import { StopRequest } from '../../../../server/experts/stop-request.ts';
import type { RunHandle } from '../../../../server/rollouts/run-service.ts';

/** A run that ends when it is told to, with the summary given. */
function run(end: Partial<RunSummary>) {
  let current = { state: 'running', message: '', errorEpisodes: 0 } as RunSummary;
  let settle: (summary: RunSummary) => void = () => undefined;
  const over = new Promise<RunSummary>((resolve) => (settle = resolve));
  const finish = (state: RunSummary['state']): void => {
    current = { ...current, state, ...end };
    settle(current);
  };
  const handle: RunHandle = { run: 'collect-1', summary: () => current, over };
  const server = { runs: { stop: () => finish('stopped') } } as unknown as LiveServer;
  return { handle, server, finish };
}

describe('waiting for a run', () => {
  it('ends with it', async () => {
    const { handle, server, finish } = run({});
    const waiting = new StopRequest(undefined).finish(server, handle);
    finish('finished');
    await expect(waiting).resolves.toBeUndefined();
  });

  it('does not take failed episodes for a finished run', async () => {
    const { handle, server, finish } = run({ errorEpisodes: 4 });
    const waiting = new StopRequest(undefined).finish(server, handle);
    finish('finished');
    await expect(waiting).rejects.toMatchObject({ code: 'L2M_SIMULATOR_FAULT' });
  });

  it('stops the run when asked to, before or meanwhile', async () => {
    const asked = new AbortController();
    const first = run({});
    const waiting = new StopRequest(asked.signal).finish(first.server, first.handle);
    asked.abort();
    await expect(waiting).resolves.toBeUndefined();
    const second = run({});
    const late = new StopRequest(asked.signal);
    expect(late.requested()).toBe(true);
    await expect(late.finish(second.server, second.handle)).resolves.toBeUndefined();
  });

  it('passes on what failed, the first of it', async () => {
    const { handle, server } = run({});
    const stop = new StopRequest(undefined);
    const waiting = stop.finish(server, handle);
    stop.fail(new RangeError('first'));
    stop.fail(new RangeError('second'));
    await expect(waiting).rejects.toThrow('first');
  });
});
