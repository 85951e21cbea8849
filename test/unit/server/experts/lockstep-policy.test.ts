import { setImmediate } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import type { TaskSpec } from '../../../../protocol/task.ts';
import { lockstepPolicy, type LockstepOptions } from '../../../../server/experts/lockstep-policy.ts';
import type { Decision, EpisodePolicy } from '../../../../server/rollouts/acting-policy.ts';
import type { EpisodePlan } from '../../../../server/rollouts/plan.ts';
import type { TickRow } from '../../../../server/simulators/tick-rows.ts';

const spec = {} as TaskSpec;
const row = (step: number, value: number, reward = 0) =>
  ({ step, observation: Float32Array.of(value, 0), reward }) as unknown as TickRow;

function policy(changes: Partial<LockstepOptions> = {}) {
  const asked: { observations: number[]; rewards: number[] }[] = [];
  const acting = lockstepPolicy({
    ...{ name: 'learner', lanes: 2, decisions: 2, actionRepeat: 1, firstStart: 0, observationSize: 1, actionSize: 1 },
    ...{ round: 0, history: [], halted: () => false },
    failed: (reason) => {
      throw reason;
    },
    decide: (observations, rewards) => {
      asked.push({ observations: [...observations], rewards: [...rewards] });
      return Promise.resolve(observations.map((value) => value / 100));
    },
    ...changes,
  });
  return { asked, begin: (start: number): EpisodePolicy => acting.begin(spec, { start } as EpisodePlan) };
}

/** The decision if there is one by now. */
async function settled(decision: Decision | Promise<Decision>): Promise<number | 'waiting'> {
  const answer = await Promise.race([Promise.resolve(decision), setImmediate(undefined)]);
  return answer === undefined ? 'waiting' : Math.round(100 * answer.action[0]!);
}

describe('deciding in step', () => {
  it('waits for all lanes, in whatever order they come, and gives each its own', async () => {
    const { asked, begin } = policy();
    const [first, second] = [begin(0), begin(1)];
    const late = second.decide(row(0, 20));
    expect(await settled(late)).toBe('waiting');
    expect(await settled(first.decide(row(0, 10)))).toBe(10);
    expect(await settled(late)).toBe(20);
    expect(asked).toEqual([{ observations: [10, 20], rewards: [0, 0] }]);
  });

  it('holds an action for as many steps as it is repeated and adds up what they earn', async () => {
    const { asked, begin } = policy({ lanes: 1, actionRepeat: 3 });
    const episode = begin(0);
    expect(await settled(episode.decide(row(0, 1)))).toBe(1);
    expect([await settled(episode.decide(row(1, 2, 5))), await settled(episode.decide(row(2, 3, 6)))]).toEqual([1, 1]);
    expect(await settled(episode.decide(row(3, 4, 7)))).toBe(4);
    expect(asked.at(-1)).toEqual({ observations: [4], rewards: [18] });
  });

  it('begins the next round only when every lane is there', async () => {
    const { asked, begin } = policy();
    const lanes = [begin(0), begin(1)];
    for (const step of [0, 1]) await Promise.all(lanes.map(async (lane) => await lane.decide(row(step, step))));
    const early = begin(2).decide(row(0, 30));
    expect(await settled(early)).toBe('waiting');
    // The other lane's episode is lost at its end: it is brought to where it was without asking.
    const again = begin(1);
    expect([await settled(again.decide(row(0, 0))), await settled(again.decide(row(1, 1)))]).toEqual([0, 1]);
    expect(asked).toHaveLength(2);
    expect(await settled(begin(3).decide(row(0, 40)))).toBe(40);
    expect(await settled(early)).toBe(30);
  });

  it('brings an episode that was begun anew to the others, even while their decision is made', async () => {
    let release: () => void = () => undefined;
    const { begin } = policy({
      decide: async (observations) => {
        await new Promise<void>((resolve) => (release = resolve));
        return observations.map((value) => value / 100);
      },
    });
    const first = begin(0).decide(row(0, 10));
    void begin(1).decide(row(0, 20));
    const again = begin(1).decide(row(0, 20));
    release();
    expect([await settled(first), await settled(again)]).toEqual([10, 20]);
  });

  it('takes the actions of an earlier session again', async () => {
    const { asked, begin } = policy({ round: 3, history: [Float32Array.of(0.07), Float32Array.of(0.08)] });
    const lanes = [begin(6), begin(7)];
    expect(await Promise.all(lanes.map((lane) => settled(lane.decide(row(0, 1)))))).toEqual([7, 8]);
    expect(asked).toEqual([]);
    const next = lanes.map((lane, i) => lane.decide(row(1, 50 + i)));
    expect(await Promise.all(next.map(settled))).toEqual([50, 51]);
  });

  it('lets everybody wait once it is halted', async () => {
    const { asked, begin } = policy({ lanes: 1, halted: () => true });
    expect(await settled(begin(0).decide(row(0, 1)))).toBe('waiting');
    expect(asked).toEqual([]);
  });
});
