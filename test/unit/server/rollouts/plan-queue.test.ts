import { describe, expect, it } from 'vitest';
import { planEpisodes, planKey } from '../../../../server/rollouts/plan.ts';
import { PlanQueue } from '../../../../server/rollouts/plan-queue.ts';

const plans = (tasks: readonly string[], episodesPerTask: number) =>
  planEpisodes({
    ...{ tasks, episodesPerTask, seed: 3, protocol: 'official-v3', firstStart: 5 },
    actorOf: () => ({ kind: 'server' }),
  });
const anywhere = () => true;

describe('the queue of owed episodes', () => {
  it('plans every start of every task with the horizon of the protocol', () => {
    const planned = plans(['metaworld/reach-v3', 'dmcontrol/walker-walk'], 2);
    expect(planned.map(planKey)).toEqual([
      'metaworld/reach-v3#5',
      'metaworld/reach-v3#6',
      'dmcontrol/walker-walk#5',
      'dmcontrol/walker-walk#6',
    ]);
    expect(planned.map(({ horizon }) => horizon)).toEqual([500, 500, 1000, 1000]);
  });

  it('spreads free environments over the tasks', () => {
    const queue = new PlanQueue(plans(['metaworld/a-v3', 'metaworld/b-v3', 'metaworld/c-v3'], 2));
    const first = [queue.next(undefined, anywhere), queue.next(undefined, anywhere), queue.next(undefined, anywhere)];
    expect(new Set(first.map((attempt) => attempt?.plan.task)).size).toBe(3);
  });

  it('keeps an environment with its task while there is work', () => {
    const queue = new PlanQueue(plans(['metaworld/a-v3', 'metaworld/b-v3'], 3));
    expect(queue.next('metaworld/b-v3', anywhere)?.plan.task).toBe('metaworld/b-v3');
  });

  it('gives a worker only what it can host', () => {
    const queue = new PlanQueue(plans(['metaworld/a-v3', 'dmcontrol/b'], 1));
    expect(queue.next(undefined, (task) => task.startsWith('dmcontrol'))?.plan.task).toBe('dmcontrol/b');
    expect(queue.next(undefined, (task) => task.startsWith('dmcontrol'))).toBeUndefined();
    expect(queue.left).toBe(1);
  });

  it('owes a lost episode again, first of its task, with the attempt counted', () => {
    const queue = new PlanQueue(plans(['metaworld/a-v3'], 2));
    const lost = queue.next(undefined, anywhere);
    if (lost === undefined) throw new Error('nothing planned');
    queue.ended(lost.plan);
    queue.again(lost);
    expect(queue.next(undefined, anywhere)).toEqual({ plan: lost.plan, attempt: 2 });
    expect(queue.left).toBe(1);
  });
});
