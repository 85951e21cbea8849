import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import {
  openEvaluationHistory,
  standingOf,
  type EvaluationRow,
} from '../../../../server/pretraining/evaluation-history.ts';
import { scoreOf } from '../../../../server/pretraining/score-of.ts';
import type { TaskScore } from '../../../../protocol/dashboard-views.ts';

const row = (update: number, score: number): EvaluationRow => ({
  ...{ update, score, successAnyTime: score, successAtEnd: null, meanReturn: 1, run: `run-${update}` },
});

test('the best is the first of the highest score, and what came after it brought nothing', () => {
  expect(standingOf([])).toEqual({ best: undefined, withoutGain: 0 });
  const rows = [row(1, 0.2), row(2, 0.5), row(3, 0.5), row(4, 0.1)];
  expect(standingOf(rows)).toEqual({ best: rows[1], withoutGain: 2 });
  expect(standingOf([...rows, row(5, 0.6)])).toMatchObject({ best: { update: 5 }, withoutGain: 0 });
});

test('evaluations outlast a session, and begin anew where nothing is resumed', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'l2m-evaluations-'));
  const path = join(folder, 'evaluations.jsonl');
  const first = openEvaluationHistory(path, false);
  first.append(row(10, 0.5));
  const second = openEvaluationHistory(path, true);
  expect(second.has(10)).toBe(true);
  expect(second.has(20)).toBe(false);
  second.append(row(20, 0.7));
  expect(openEvaluationHistory(path, true).rows()).toHaveLength(2);
  expect(openEvaluationHistory(path, false).rows()).toHaveLength(0);
  await rm(folder, { recursive: true });
});

test('the score of a mixed evaluation takes success where it is reported and normalised returns elsewhere', () => {
  const score = (rate: number | null, normalizedScore: number | null) =>
    ({ successAnyTime: { rate }, normalizedScore }) as TaskScore;
  expect(scoreOf({ tasks: [score(1, 0.2), score(null, 0.5), score(null, null)] })).toBeCloseTo(0.5, 12);
});
