import { describe, expect, it } from 'vitest';
import type { ScoredEpisode } from '../../../../server/store/records.ts';
import { compareRuns, type ComparedRun } from '../../../../server/store/compare-runs.ts';

const REACH = 'metaworld/reach-v3';
const WALK = 'dmcontrol/walker-walk';

/** `S` success to the end, `s` success that did not last, `.` failure, `E` error, one character a start. */
function reached(outcomes: string): ScoredEpisode[] {
  return Array.from(outcomes, (letter, start) => ({
    ...{ task: REACH, start, attempt: 1, assistedSteps: 0, length: 10, return: letter === 'E' ? 0 : start },
    outcome: letter === 'E' ? 'error' : letter === '.' ? 'failure' : 'success',
    successAtEnd: letter === 'E' ? null : letter === 'S',
    firstSuccessStep: letter === 'S' || letter === 's' ? 4 : null,
  }));
}

function walked(...returns: number[]): ScoredEpisode[] {
  return returns.map((value, start) => ({
    ...{ task: WALK, start, attempt: 1, assistedSteps: 0, outcome: 'scored', length: 10, return: value },
    ...{ successAtEnd: null, firstSuccessStep: null },
  }));
}

function run(name: string, episodes: ScoredEpisode[], change: Partial<ComparedRun['head']> = {}): ComparedRun {
  const head = { run: name, policy: name, protocol: 'official-v3', seed: 42, configuration: {}, ...change } as const;
  return { head, episodes };
}

describe('compared runs', () => {
  it('count pairs of equal starts, errors left out on either side, for both definitions', () => {
    const { tasks } = compareRuns([run('base', reached('S.S.E.')), run('other', reached('SSsS.E'))]);
    const score = tasks[0]?.scores[1];
    expect(tasks.map(({ task }) => task)).toEqual([REACH]);
    expect(score).toMatchObject({ episodes: 5, successAnyTime: { successes: 4, episodes: 5 } });
    expect(score?.pairedAnyTime).toMatchObject({
      both: 2,
      gained: 2,
      lost: 0,
      neither: 0,
      difference: 0.5,
      pValue: 0.5,
    });
    expect(score?.pairedAtEnd).toMatchObject({ both: 1, gained: 2, lost: 1, neither: 0, difference: 0.25, pValue: 1 });
    expect(tasks[0]?.scores[0]).toMatchObject({ episodes: 5, pairedAnyTime: null, pairedReturns: null });
  });

  it('are compared by returns where a task knows no success', () => {
    const { tasks, overall } = compareRuns([
      run('base', walked(1, 2, 3, 4, 5, 6)),
      run('other', walked(2, 4, 6, 8, 10, 12)),
    ]);
    expect(tasks[0]?.scores[1]).toMatchObject({
      ...{ meanReturn: 7, pairedAnyTime: null },
      pairedReturns: {
        pairs: 6,
        higher: 6,
        lower: 0,
        mean: 3.5,
        median: 3.5,
        interval: { low: 1, high: 6 },
        pValue: 2 / 64,
      },
    });
    expect(overall[1]?.pairedReturns).toMatchObject({ pairs: 6 });
  });

  it('together count pairs of all tasks, and no mean of returns that have nothing in common', () => {
    const base = run('base', [...reached('....'), ...walked(1)]);
    const { overall, tasks } = compareRuns([base, run('other', [...reached('SSSS'), ...walked(2)])]);
    expect(overall[1]).toMatchObject({ meanReturn: null, pairedReturns: null, pairedAtEnd: { gained: 4, lost: 0 } });
    expect(tasks).toHaveLength(2);
  });

  it('adjust each p value for the number of tasks', () => {
    const twice = (outcomes: string) => [
      ...reached(outcomes),
      ...reached(outcomes).map((episode) => ({ ...episode, task: 'metaworld/push-v3' })),
    ];
    const { tasks } = compareRuns([run('base', twice('......')), run('other', twice('SSSSSS'))]);
    expect(tasks[0]?.scores[1]?.pairedAtEnd).toMatchObject({ pValue: 2 / 64, adjustedPValue: 4 / 64 });
  });

  it('leave out what a person helped with', () => {
    const helped = reached('SS').map((episode, start) => ({ ...episode, assistedSteps: start === 0 ? 3 : 0 }));
    const { overall } = compareRuns([run('base', reached('..')), run('other', helped)]);
    expect(overall[1]).toMatchObject({ episodes: 1, pairedAtEnd: { gained: 1, lost: 0, both: 0, neither: 0 } });
  });

  it.each([
    [{ seed: 7 }, 'seed 7, not 42'],
    [{ protocol: 'l2m-paper' as const }, 'protocol l2m-paper, not official-v3'],
    [{ configuration: { horizon: 50 } }, 'episodes of 50 steps, not null'],
  ])('that began elsewhere have rates but no pairs: %j', (change, reason) => {
    const compared = compareRuns([run('base', reached('SS')), run('other', reached('SS'), change)]);
    expect(compared.runs[1]?.unpaired).toBe(reason);
    expect(compared.overall[1]).toMatchObject({ pairedAnyTime: null, successAnyTime: { successes: 2, episodes: 2 } });
  });

  it('keep a task that only one of them did', () => {
    const { tasks } = compareRuns([run('base', reached('S')), run('other', walked(3))]);
    expect(tasks.map(({ task, scores }) => [task, scores.map(({ episodes }) => episodes)])).toEqual([
      [WALK, [0, 1]],
      [REACH, [1, 0]],
    ]);
  });
});
