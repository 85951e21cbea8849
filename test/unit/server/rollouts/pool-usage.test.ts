import { describe, expect, it } from 'vitest';
import { PoolUsage, type PoolUser } from '../../../../server/rollouts/pool-usage.ts';

const user = (run: string, task: string, selections: number[]): PoolUser => ({
  run,
  plan: { task },
  recorder: { selections: Int16Array.from(selections) },
});

describe('PoolUsage', () => {
  it('counts decisions by task and modulator, of ended and running episodes, run by run', () => {
    const usage = new PoolUsage();
    usage.ended(user('a', 'metaworld/push-v3', [2, 2, 0, -1]));
    usage.ended(user('b', 'metaworld/push-v3', [1]));
    const running = [user('a', 'metaworld/door-open-v3', [3, -1]), user('b', 'metaworld/push-v3', [1, 1])];
    expect(usage.of('a', running, 3)).toEqual({
      tasks: ['metaworld/door-open-v3', 'metaworld/push-v3'],
      usage: Uint32Array.of(0, 0, 0, 1, 1, 0, 2, 0),
    });
    expect(usage.of('b', running, 2)).toEqual({ tasks: ['metaworld/push-v3'], usage: Uint32Array.of(0, 3) });
  });

  it('does not count a running episode twice when asked twice', () => {
    const usage = new PoolUsage();
    const running = [user('a', 'metaworld/push-v3', [0, 0])];
    usage.of('a', running, 1);
    expect(usage.of('a', running, 1).usage).toEqual(Uint32Array.of(2));
  });

  it('has nothing of a policy without a pool', () => {
    const usage = new PoolUsage();
    usage.ended(user('a', 'metaworld/push-v3', [-1, -1]));
    expect(usage.of('a', [], 0)).toEqual({ tasks: [], usage: new Uint32Array(0) });
  });

  it('forgets the oldest of many runs', () => {
    const usage = new PoolUsage();
    for (let run = 0; run < 100; run++) usage.ended(user(`run-${run}`, 'metaworld/push-v3', [0]));
    expect(usage.of('run-0', [], 0).tasks).toEqual([]);
    expect(usage.of('run-99', [], 0).tasks).toEqual(['metaworld/push-v3']);
  });
});
