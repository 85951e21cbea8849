import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import type { QuickPretrainingResult } from '../../../../server/cli/quick-pretraining.ts';
import { runL2m } from '../../../support/l2m-command.ts';
import { temporaryFolder } from '../../../support/live-server.ts';

const folder = temporaryFolder();
afterAll(() => folder.remove());

test('l2m pretrain --quick: collect, train an expert, learn from both suites, and be far better than chance', async () => {
  const json = join(folder.path, 'quick.json');
  const startMs = performance.now();
  const { exitCode, stderr } = await runL2m(['pretrain', '--quick', '--data', folder.path, '--json', json]);
  expect(exitCode, stderr).toBe(0);
  // Said, not asserted: the machine's speed drifts. Under five minutes on two cores that nobody else uses.
  console.log(`pretrain --quick took ${((performance.now() - startMs) / 60_000).toFixed(1)} minutes`);
  const { expert, model, scores } = JSON.parse(readFileSync(json, 'utf8')) as QuickPretrainingResult;
  // Chance balances the pole for about 350.
  expect(expert.evaluation?.meanReturn).toBeGreaterThan(500);
  expect(scores.model).toBeGreaterThan(scores.random + 0.3);
  const [drawer] = model.tasks;
  expect(drawer?.successAnyTime.rate).toBeGreaterThanOrEqual(0.6);
});
