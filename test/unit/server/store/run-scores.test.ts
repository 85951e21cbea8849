import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Outcome, ScoredEpisode } from '../../../../server/store/records.ts';
import { RunScores, taskScores } from '../../../../server/store/run-scores.ts';

const REACH = 'metaworld/reach-v3';
const WALKER = 'dmcontrol/walker-walk';
const plan = [
  { task: REACH, episodes: 4 },
  { task: WALKER, episodes: 2 },
];

function episode(change: Partial<ScoredEpisode>): ScoredEpisode {
  return {
    task: REACH,
    start: 0,
    attempt: 1,
    outcome: 'failure',
    length: 500,
    return: 100,
    successAtEnd: false,
    firstSuccessStep: null,
    ...change,
  };
}

describe('taskScores', () => {
  it('tells both success rates, the first step and the return of a worked example', () => {
    const [reach, walker] = taskScores(
      [
        episode({ start: 0, outcome: 'success', successAtEnd: true, firstSuccessStep: 60, return: 1000 }),
        episode({ start: 1, outcome: 'success', successAtEnd: false, firstSuccessStep: 100, return: 500 }),
        episode({ start: 2, return: 0 }),
        episode({ start: 3, outcome: 'error', return: 77, successAtEnd: null }),
        episode({ task: WALKER, outcome: 'scored', successAtEnd: null, return: 800 }),
      ],
      plan,
    );
    expect(reach).toMatchObject({
      planned: 4,
      finished: 3,
      errors: 1,
      successAnyTime: { successes: 2, episodes: 3, rate: 2 / 3 },
      successAtEnd: { successes: 1, episodes: 3, rate: 1 / 3 },
      firstSuccessStep: 80,
      meanReturn: 500,
    });
    // Wilson 1927 for 2 of 3 at 95 %.
    expect(reach?.successAnyTime.interval?.low).toBeCloseTo(0.2077, 4);
    expect(reach?.successAnyTime.interval?.high).toBeCloseTo(0.9385, 4);
    expect(walker).toMatchObject({
      finished: 1,
      successAnyTime: { successes: 0, episodes: 0, rate: null, interval: null },
      firstSuccessStep: null,
      meanReturn: 800,
    });
  });

  it('has a line for every planned task before anything ran', () => {
    const scores = taskScores([], plan);
    expect(scores.map((score) => [score.task, score.planned, score.finished, score.meanReturn])).toEqual([
      [REACH, 4, 0, null],
      [WALKER, 2, 0, null],
    ]);
  });

  it('lets a later attempt replace an earlier one, in any order', () => {
    const failed = episode({ start: 0, attempt: 1, outcome: 'error', successAtEnd: null });
    const redone = episode({ start: 0, attempt: 2, outcome: 'success', successAtEnd: true, firstSuccessStep: 5 });
    for (const order of [
      [failed, redone],
      [redone, failed],
      [redone, redone, failed],
    ]) {
      const [reach] = taskScores(order, plan);
      expect(reach).toMatchObject({ finished: 1, errors: 0, successAtEnd: { rate: 1 }, firstSuccessStep: 5 });
    }
  });

  it('leaves out what a person had a part in, and counts it apart', () => {
    const alone = [episode({ start: 0, outcome: 'success', successAtEnd: true, firstSuccessStep: 60, return: 300 })];
    const helped = episode({ start: 1, outcome: 'success', successAtEnd: true, firstSuccessStep: 2, assistedSteps: 1 });
    const [without] = taskScores(alone, plan);
    const [reach] = taskScores([...alone, helped], plan);
    expect(reach).toEqual({ ...without, assisted: 1 });
    // Alone at a later attempt, the start counts; with help at a later one, it counts no more.
    const later = episode({ start: 1, attempt: 2, return: 100 });
    expect(taskScores([...alone, helped, later], plan)[0]).toEqual(taskScores([...alone, later], plan)[0]);
    const undone = { ...helped, start: 0, attempt: 2 };
    expect(taskScores([...alone, undone], plan)[0]).toMatchObject({ finished: 0, assisted: 1, meanReturn: null });
    expect(new RunScores(plan, [...alone, helped]).totals()).toMatchObject({ finished: 1, assisted: 1, errors: 0 });
  });

  it('averages success over the tasks that report it', () => {
    const scores = new RunScores(plan);
    scores.add(episode({ outcome: 'success', successAtEnd: true, firstSuccessStep: 1 }));
    scores.add(episode({ task: WALKER, outcome: 'scored', successAtEnd: null, length: 1000 }));
    expect(scores.totals()).toEqual({
      planned: 6,
      finished: 2,
      errors: 0,
      assisted: 0,
      steps: 1500,
      meanSuccessAnyTime: 1,
      meanSuccessAtEnd: 1,
    });
    expect(new RunScores(plan).totals().meanSuccessAnyTime).toBeNull();
  });
});

const anyEpisode = fc
  .record({
    start: fc.integer({ min: 0, max: 5 }),
    attempt: fc.integer({ min: 1, max: 3 }),
    outcome: fc.constantFrom<Outcome>('success', 'failure', 'error'),
    assistedSteps: fc.constantFrom(0, 0, 3),
    return: fc.integer({ min: -1000, max: 1000 }),
    firstSuccessStep: fc.integer({ min: 1, max: 500 }),
    successAtEnd: fc.boolean(),
  })
  .map((drawn) => {
    const success = drawn.outcome === 'success';
    return episode({
      ...drawn,
      firstSuccessStep: success ? drawn.firstSuccessStep : null,
      successAtEnd: drawn.outcome === 'error' ? null : success && drawn.successAtEnd,
    });
  });

describe('RunScores', () => {
  it('agrees after every episode with a plain recomputation from the latest attempts', () => {
    fc.assert(
      fc.property(fc.array(anyEpisode, { maxLength: 40 }), (episodes) => {
        const scores = new RunScores(plan);
        const latest = new Map<number, ScoredEpisode>();
        for (const next of episodes) {
          const score = scores.add(next);
          const known = latest.get(next.start);
          if (known === undefined || next.attempt > known.attempt) latest.set(next.start, next);
          const sound = [...latest.values()].filter((one) => one.outcome !== 'error');
          const judged = sound.filter((one) => one.assistedSteps === 0);
          const steps = judged.flatMap((one) => one.firstSuccessStep ?? []).sort((a, b) => a - b);
          const middle = steps.length / 2;
          const median = steps.length === 0 ? null : (steps[Math.ceil(middle) - 1]! + steps[Math.floor(middle)]!) / 2;
          expect(score.errors).toBe(latest.size - sound.length);
          expect(score.assisted ?? 0).toBe(sound.length - judged.length);
          expect(score.finished).toBe(judged.length);
          expect(score.successAnyTime.successes).toBe(steps.length);
          expect(score.successAtEnd.successes).toBe(judged.filter((one) => one.successAtEnd === true).length);
          expect(score.firstSuccessStep).toBe(median);
          if (judged.length === 0) expect(score.meanReturn).toBeNull();
          else expect(score.meanReturn).toBe(judged.reduce((sum, one) => sum + one.return, 0) / judged.length);
        }
      }),
    );
  });
});

describe('normalised scores', () => {
  it('are given only where the table is about episodes of the same length', () => {
    const episode = (task: string) =>
      ({
        task,
        start: 0,
        attempt: 1,
        outcome: 'scored',
        length: 200,
        return: 500,
        successAtEnd: null,
        firstSuccessStep: null,
      }) as const;
    const tasks = ['metaworld/reach-v3', 'dmcontrol/walker-walk'];
    const episodes = tasks.map(episode);
    const planned = tasks.map((task) => ({ task, episodes: 1 }));
    const given = (protocol: 'official-v3' | 'l2m-paper') =>
      taskScores(episodes, planned, protocol).map(({ normalizedScore }) => normalizedScore !== null);
    expect(given('l2m-paper')).toEqual([true, true]);
    expect(given('official-v3')).toEqual([false, true]);
  });
});
