import { describe, expect, it } from 'vitest';
import type { TaskSpec } from '../../../../protocol/task.ts';
import { exploringPolicy } from '../../../../server/adaptation/exploring-policy.ts';
import { immediateDecision, type ActingPolicy } from '../../../../server/rollouts/acting-policy.ts';
import type { EpisodePlan } from '../../../../server/rollouts/plan.ts';
import type { TickRow } from '../../../../server/simulators/tick-rows.ts';

const STILL: ActingPolicy = {
  name: 'still',
  assertSupports: () => undefined,
  begin: () => ({ decide: () => ({ ...immediateDecision(new Float32Array([0, 0.95])), version: 3 }) }),
};
const SPEC = { task: 'metaworld/reach-v3', actionSize: 2 } as TaskSpec;

async function actions(deviation: number, start: number, steps = 50): Promise<number[]> {
  const plan = { task: SPEC.task, start, seed: 9 } as EpisodePlan;
  const episode = exploringPolicy(STILL, deviation).begin(SPEC, plan);
  const taken: number[] = [];
  for (let step = 0; step < steps; step++) {
    const decision = await episode.decide({ step } as TickRow);
    expect(decision.version).toBe(3);
    if (deviation > 0) expect(decision.target).toEqual(new Float32Array([0, 0.95]));
    taken.push(...decision.action);
  }
  return taken;
}

describe('a policy that explores', () => {
  it('is the policy itself without noise', () => {
    expect(exploringPolicy(STILL, 0)).toBe(STILL);
  });

  it('does the same again from the same start, and something else from another', async () => {
    expect(await actions(0.2, 4)).toEqual(await actions(0.2, 4));
    expect(await actions(0.2, 4)).not.toEqual(await actions(0.2, 5));
    expect(await actions(0.2, 4)).not.toEqual(await actions(0.1, 4));
  });

  it('stays within what can be done', async () => {
    const taken = await actions(0.5, 1, 200);
    expect(Math.max(...taken)).toBe(1);
    expect(Math.min(...taken)).toBeGreaterThanOrEqual(-1);
  });
});
