import { cpSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { PerformanceMatrix } from '../../../../protocol/performance-matrix.ts';
import { loadContinualState } from '../../../../server/continual/continual-state.ts';
import { readRows } from '../../../../server/learning/row-log.ts';
import type { EvaluationRow } from '../../../../server/continual/evaluation-rows.ts';
import { killWhen } from '../../../support/kill-tree.ts';
import { runL2m, startL2m } from '../../../support/l2m-command.ts';
import { newFolder } from '../../../support/new-folder.ts';
import { writeRandomCheckpoint } from '../../../support/random-checkpoint.ts';

const SAMPLE = new URL('../../../golden/learning', import.meta.url).pathname;

async function command(data: string, method: string): Promise<string[]> {
  const checkpoint = join(data, 'checkpoint');
  await writeRandomCheckpoint(checkpoint);
  return [
    ...[
      'continual',
      '--sequence',
      'drawer-open,reach',
      '--method',
      method,
      '--name',
      'run',
      '--checkpoint',
      checkpoint,
    ],
    ...['--steps-per-task', '40', '--evaluate-every', '20', '--batch', '16', '--episodes', '2', '--horizon', '12'],
    ...['--pretraining-tasks', 'reach,drawer-open', '--trajectories', SAMPLE],
    ...place(data),
  ];
}

const place = (data: string): string[] => ['--data', data, '--workers', '1', '--environments', '2', '--threads', '1'];
const QUICKLY = { L2M_PROGRESS_MS: '100' };

function resultOf(data: string): { matrix: PerformanceMatrix; rows: EvaluationRow[] } {
  const run = join(data, 'continual', 'run');
  const matrix = JSON.parse(readFileSync(join(run, 'performance-matrix.json'), 'utf8')) as PerformanceMatrix;
  return { matrix, rows: readRows<EvaluationRow>(join(run, 'evaluations.jsonl')) };
}

describe('a continual training that is killed', () => {
  it.each(['l2m-lora', 'fitted-keys'])(
    'by %s and resumed on another machine has the matrix and the weights of one that was never disturbed',
    { timeout: 900_000 },
    async (method) => {
      const undisturbed = newFolder();
      const whole = await runL2m(await command(undisturbed, method), QUICKLY);
      expect(whole.exitCode, whole.stderr).toBe(0);

      const first = newFolder();
      // While it learns the second task, or is evaluated after the first.
      await killWhen(startL2m(await command(first, method), QUICKLY), /evaluating after (20|40): |task 2:/);
      const second = newFolder();
      cpSync(join(first, 'continual'), join(second, 'continual'), { recursive: true });
      const resume = ['continual', '--name', 'run', '--resume', ...place(second)];
      const resumed = await runL2m(resume, QUICKLY);
      expect(resumed.exitCode, resumed.stderr).toBe(0);

      const [expected, found] = [resultOf(undisturbed), resultOf(second)];
      expect(found.matrix).toEqual(expected.matrix);
      expect(found.matrix.state).toBe('finished');
      expect(found.matrix.rows.map(({ stage }) => stage)).toEqual([0, 0, 1, 1, 1, 1, 2, 2, 2, 2]);
      expect(found.rows).toEqual(expected.rows);
      const states = await Promise.all(
        [undisturbed, second].map((data) => loadContinualState(join(data, 'continual', 'run'))),
      );
      expect(states[1]?.update).toBe(80);
      for (const [name, { data }] of states[0]?.arrays ?? [])
        expect(states[1]?.arrays.get(name)?.data, name).toEqual(data);
    },
  );
});
