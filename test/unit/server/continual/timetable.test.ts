import { describe, expect, test } from 'vitest';
import { evaluationTimes, stageAfter, taskAfter, totalUpdates } from '../../../../server/continual/timetable.ts';

/** Continual World in the paper (spec §5.5). */
const PAPER = { tasks: 10, stepsPerTask: 100_000, evaluateEvery: 50_000 };

describe('the timetable of a continual training', () => {
  test('switches tasks at multiples of the steps a task, and evaluates a switch for the task that ends', () => {
    expect(totalUpdates(PAPER)).toBe(1_000_000);
    expect([0, 99_999, 100_000, 999_999].map((updates) => taskAfter(PAPER, updates))).toEqual([0, 0, 1, 9]);
    expect([0, 1, 100_000, 100_001, 1_000_000].map((updates) => stageAfter(PAPER, updates))).toEqual([0, 1, 1, 2, 10]);
  });

  test('evaluates 21 times in the paper’s run, and at each end of a task whatever the interval', () => {
    const times = evaluationTimes(PAPER);
    expect(times).toHaveLength(21);
    expect(times.slice(0, 3)).toEqual([0, 50_000, 100_000]);
    expect(evaluationTimes({ tasks: 2, stepsPerTask: 5, evaluateEvery: 3 })).toEqual([0, 3, 5, 6, 9, 10]);
  });
});
