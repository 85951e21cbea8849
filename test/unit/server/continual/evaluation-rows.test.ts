import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Value } from 'typebox/value';
import { describe, expect, test } from 'vitest';
import { PerformanceMatrixSchema } from '../../../../protocol/performance-matrix.ts';
import { SMALL_CONTINUAL, type ContinualSettings } from '../../../../server/continual/continual-options.ts';
import {
  evaluatedTasks,
  matrixOf,
  resultOf,
  wholeRows,
  type EvaluationRow,
} from '../../../../server/continual/evaluation-rows.ts';
import { inspectTasks } from '../../../../server/continual/inspect-pool.ts';

const HAMMER = 'metaworld/hammer-v3';
const PUSH = 'metaworld/push-wall-v3';
const WALK = 'dmcontrol/walker-walk';

const SETTINGS: ContinualSettings = {
  ...SMALL_CONTINUAL,
  ...{ sequence: [HAMMER, PUSH], method: 'l2m-lora', learningRate: 1e-3, penaltyStrength: 0 },
  ...{ stepsPerTask: 10, evaluateEvery: 5, others: [WALK], identityTasks: [], identityKeys: 1 },
};

function row(update: number, task: string, changes: Partial<EvaluationRow> = {}): EvaluationRow {
  return {
    ...{
      update,
      task,
      episodes: 4,
      errors: 0,
      anyTime: 3,
      atEnd: 1,
      meanReturn: 5,
      normalizedScore: null,
      modulators: {},
    },
    ...changes,
  };
}

describe('what evaluations leave', () => {
  test('becomes the matrix of the page: a switch of tasks counts for the task that ends', () => {
    const rows = [
      row(0, HAMMER, { anyTime: 0 }),
      row(10, HAMMER),
      row(12, HAMMER, { anyTime: 2 }),
      row(12, WALK, { anyTime: null, atEnd: null, normalizedScore: 0.7 }),
    ];
    const matrix = matrixOf({ name: 'run', settings: SETTINGS, state: 'running' }, rows);
    expect(Value.Check(PerformanceMatrixSchema, matrix)).toBe(true);
    expect(matrix.rows.map(({ stage, stageTask, success, k, n }) => [stage, stageTask, success, k, n])).toEqual([
      [0, null, 0, 0, 4],
      [1, HAMMER, 0.75, 3, 4],
      [2, PUSH, 0.5, 2, 4],
      [2, PUSH, null, 0, 4],
    ]);
    expect(matrix.rows[3]).toMatchObject({ task: WALK, score: 0.7 });
  });

  test('is scored by either definition of success, and by the normalised return where there is none', () => {
    const rows = [row(10, HAMMER), row(20, WALK, { anyTime: null, atEnd: null, normalizedScore: 0.7 })];
    const values = (definition: 'any-time' | 'at-end') =>
      resultOf(rows, SETTINGS, definition).rows.map(({ value }) => value);
    expect(values('any-time')).toEqual([0.75, 0.7]);
    expect(values('at-end')).toEqual([0.25, 0.7]);
  });

  test('of an evaluation that was killed in its middle is passed over', () => {
    const folder = mkdtempSync(join(tmpdir(), 'l2m-rows-'));
    const path = join(folder, 'evaluations.jsonl');
    expect(evaluatedTasks(SETTINGS)).toEqual([HAMMER, PUSH, WALK]);
    const rows = [row(0, HAMMER), row(0, PUSH), row(0, WALK), row(5, HAMMER)];
    writeFileSync(path, rows.map((each) => `${JSON.stringify(each)}\n`).join('') + '{"update":5,"ta');
    expect(wholeRows(path, SETTINGS).map(({ update }) => update)).toEqual([0, 0, 0]);
    rmSync(folder, { recursive: true });
  });

  test('says which rows of the pool serve a task, how the selection moved, and whether it was right', () => {
    const evaluations = [
      row(10, HAMMER, { modulators: { 3: 30, 7: 10 } }),
      row(20, HAMMER, { modulators: { 3: 10, 5: 30 } }),
      row(20, PUSH, { modulators: { 5: 40 } }),
      row(20, WALK, { modulators: { 9: 10, 5: 30 } }),
    ];
    const owned = [
      { row: 3, owner: HAMMER },
      { row: 5, owner: PUSH },
    ];
    const [hammer, push, walk] = inspectTasks(evaluations, SETTINGS, owned);
    expect(hammer).toMatchObject({
      whenLearned: { 3: 0.75, 7: 0.25 },
      latest: { 3: 0.25, 5: 0.75 },
      kept: 0.25,
      accuracy: 0.25,
    });
    expect(push).toMatchObject({ kept: 1, accuracy: 1 });
    // Row 9 was never changed: a quarter of the steps is decided by the frozen model.
    expect(walk).toMatchObject({ learned: false, kept: null, accuracy: 0.25 });
  });
});
