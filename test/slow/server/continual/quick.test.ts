import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { PERFORMANCE_MATRIX_FILE, type PerformanceMatrix } from '../../../../protocol/performance-matrix.ts';
import type { SweepRow } from '../../../../server/continual/sweep.ts';
import { runL2m } from '../../../support/l2m-command.ts';
import { temporaryFolder } from '../../../support/live-server.ts';

const folder = temporaryFolder();
afterAll(() => folder.remove());

test('l2m continual --quick: a pool of modulators forgets less than full fine-tuning, on real simulators', async () => {
  const json = join(folder.path, 'quick.json');
  const startMs = performance.now();
  const { exitCode, stderr } = await runL2m(['continual', '--quick', '--data', folder.path, '--json', json]);
  expect(exitCode, stderr).toBe(0);
  // Said, not asserted: the machine's speed drifts. Under eight minutes on two cores that nobody else uses.
  console.log(`continual --quick took ${((performance.now() - startMs) / 60_000).toFixed(1)} minutes`);
  const rows = JSON.parse(readFileSync(json, 'utf8')) as SweepRow[];
  const scoresOf = (method: string) => rows.find((row) => row.method === method)!.summary.anyTime;
  const [fitted, full] = [scoresOf('fitted-keys'), scoresOf('full')];
  expect(fitted.forgettingFromBest!).toBeLessThan(full.forgettingFromBest!);
  expect(fitted.averagePerformance!).toBeGreaterThan(full.averagePerformance!);
  // Of two tasks of the pre-training, which the frozen model solves.
  expect(fitted.retention!).toBeGreaterThanOrEqual(0.9);
  const keptBy = (method: string) => keptWhileLearning(join(folder.path, 'continual', `quick-${method}-42`));
  expect(keptBy('fitted-keys')).toBeGreaterThan(keptBy('full'));
});

/** Mean success of the pre-training tasks over all stages: what was forgotten and came back by chance counts too. */
function keptWhileLearning(run: string): number {
  const { rows, others } = JSON.parse(readFileSync(join(run, PERFORMANCE_MATRIX_FILE), 'utf8')) as PerformanceMatrix;
  const values = rows
    .filter(({ stage, task }) => stage > 0 && others.includes(task))
    .map(({ success }) => success ?? 0);
  expect(values).toHaveLength(6);
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
