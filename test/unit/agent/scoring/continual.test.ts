import { describe, expect, test } from 'vitest';
import { bootstrapMean } from '../../../../agent/scoring/bootstrap.ts';
import {
  areaWhileLearning,
  continualScores,
  forwardTransfer,
  type ContinualResult,
  type Performance,
} from '../../../../agent/scoring/continual.ts';

/** Rows of a matrix: one line a stage, one column a task, 100 updates a stage. */
function rowsOf(tasks: readonly string[], matrix: readonly (readonly number[])[]): Performance[] {
  return matrix.flatMap((line, stage) =>
    tasks.map((task, i) => ({ stage, task, value: line[i]!, update: 100 * stage })),
  );
}

const RESULT: ContinualResult = {
  sequence: ['a', 'b', 'c'],
  others: ['x', 'y'],
  rows: rowsOf(
    ['a', 'b', 'c', 'x', 'y'],
    [
      [0.0, 0.2, 0.0, 1.0, 0.6],
      [0.8, 0.1, 0.0, 1.0, 0.6],
      [0.9, 0.7, 0.1, 0.8, 0.4],
      [0.5, 0.6, 1.0, 0.6, 0.2],
    ],
  ),
};

describe('scores of a continual training', () => {
  test('are those worked out by hand', () => {
    const scores = continualScores(RESULT);
    // (0.5 + 0.6 + 1.0) / 3
    expect(scores.averagePerformance).toBeCloseTo(0.7, 12);
    // (0.8 - 0.5) + (0.7 - 0.6) + 0, over all three tasks
    expect(scores.forgetting).toBeCloseTo(0.4 / 3, 12);
    // a was best after b: (0.9 - 0.5) + (0.7 - 0.6), over the two before the last
    expect(scores.forgettingFromBest).toBeCloseTo(0.25, 12);
    expect(scores.backwardTransfer).toBeCloseTo(-0.2, 12);
    // (0.6 + 0.2) / (1.0 + 0.6)
    expect(scores.retention).toBeCloseTo(0.5, 12);
  });

  test('take the latest of several measurements of a stage', () => {
    const rows = RESULT.rows.flatMap((row) => [{ ...row, value: 0.123, update: row.update - 50 }, row]);
    expect(continualScores({ ...RESULT, rows })).toEqual(continualScores(RESULT));
  });

  test('of a sequence that repeats count from the last time a task was learned', () => {
    const result: ContinualResult = {
      sequence: ['a', 'b', 'a', 'b'],
      others: [],
      rows: rowsOf(
        ['a', 'b'],
        [
          [0, 0],
          [1, 0],
          [0.2, 0.9],
          [0.7, 0.3],
          [0.6, 0.8],
        ],
      ),
    };
    const scores = continualScores(result);
    expect(scores.forgetting).toBeCloseTo((0.7 - 0.6 + 0) / 2, 12);
    expect(scores.backwardTransfer).toBeCloseTo(0.6 - 0.7, 12);
    expect(scores.forgettingFromBest).toBeCloseTo(1 - 0.6, 12);
    expect(scores.retention).toBeNull();
  });

  test('are left out where something was not measured, never averaged over less', () => {
    const rows = RESULT.rows.filter(({ stage, task }) => !(stage === 3 && task === 'b'));
    expect(continualScores({ ...RESULT, rows })).toMatchObject({
      averagePerformance: null,
      forgetting: null,
      retention: 0.5,
    });
    expect(continualScores({ ...RESULT, joint: true })).toMatchObject({ forgetting: null, backwardTransfer: null });
  });
});

describe('forward transfer', () => {
  const curve: ContinualResult = {
    sequence: ['a', 'b'],
    others: [],
    rows: [
      { stage: 0, task: 'a', value: 0, update: 0 },
      { stage: 1, task: 'a', value: 0.6, update: 50 },
      { stage: 1, task: 'a', value: 0.8, update: 100 },
      { stage: 1, task: 'b', value: 0.2, update: 100 },
      { stage: 2, task: 'b', value: 1, update: 150 },
      { stage: 2, task: 'b', value: 1, update: 200 },
    ],
  };

  test('has the area under the curve of a task while it is learned', () => {
    expect(areaWhileLearning(curve, 'a')).toBeCloseTo((0.3 * 50 + 0.7 * 50) / 100, 12);
    expect(areaWhileLearning(curve, 'b')).toBeCloseTo((0.6 * 50 + 1 * 50) / 100, 12);
    expect(areaWhileLearning(curve, 'c')).toBeNull();
  });

  test('is the share of what a task learned alone leaves to be gained', () => {
    // a: (0.5 - 0.4) / 0.6, b: (0.8 - 0.9) / 0.1
    const references = new Map([
      ['a', 0.4],
      ['b', 0.9],
    ]);
    expect(forwardTransfer(curve, references)).toBeCloseTo((1 / 6 - 1) / 2, 12);
    expect(forwardTransfer(curve, new Map([['a', 1]]))).toBeNull();
    expect(forwardTransfer(curve, new Map())).toBeNull();
  });
});

describe('the bootstrap over seeds', () => {
  test('has the mean inside an interval between the extremes, the same every time', () => {
    const values = [0.5, 0.6, 0.9];
    const { mean, interval, count } = bootstrapMean(values)!;
    expect([mean, count]).toEqual([2 / 3, 3]);
    // 1 of 27 resamples is the least value three times, which is more than 2.5 %.
    expect(interval).toEqual({ lower: 0.5, upper: expect.closeTo(0.9, 12) as number });
    expect(bootstrapMean(values)).toEqual(bootstrapMean(values));
  });

  test('narrows with the number of seeds and says nothing for one', () => {
    const many = Array.from({ length: 50 }, (_, i) => (i % 2 === 0 ? 0.4 : 0.6));
    const { interval } = bootstrapMean(many)!;
    expect(interval!.lower).toBeGreaterThan(0.46);
    expect(interval!.upper).toBeLessThan(0.54);
    expect(bootstrapMean([0.7])).toEqual({ mean: 0.7, interval: null, count: 1 });
    expect(bootstrapMean([])).toBeNull();
  });
});
