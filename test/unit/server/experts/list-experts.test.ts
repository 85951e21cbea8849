import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { groupSize } from '../../../../agent/experts/expert-shape.ts';
import { expertsText } from '../../../../server/cli/experts-command.ts';
import { EXPERT_FORMAT, writeExpert } from '../../../../server/experts/expert-file.ts';
import { expertFolder, expertPath } from '../../../../server/experts/find-expert.ts';
import { listExperts } from '../../../../server/experts/list-experts.ts';
import { temporaryFolder } from '../../../support/live-server.ts';

const BALANCE = 'dmcontrol/cartpole-balance';
const shape = { observationSize: 5, actionSize: 1, hidden: [4] };
let folder: ReturnType<typeof temporaryFolder>;
let shipped = '';
beforeEach(() => {
  folder = temporaryFolder();
  shipped = join(folder.path, 'shipped');
});
afterEach(() => folder.remove());

function curve(source: string, points: readonly (readonly [steps: number, meanReturn: number])[]): void {
  const path = join(expertFolder(folder.path, BALANCE, source), 'curve.jsonl');
  mkdirSync(dirname(path), { recursive: true });
  const rest = { updates: 1, normalizedScore: 0, episodes: 10, updatesPerSecond: 1, temperature: 1, criticLoss: 1 };
  writeFileSync(
    path,
    points.map(([steps, meanReturn]) => `${JSON.stringify({ steps, meanReturn, ...rest })}\n`).join(''),
  );
}

function expert(path: string, meanReturn: number): Promise<void> {
  const about = {
    format: EXPERT_FORMAT,
    task: BALANCE,
    shape,
    actionRepeat: 1,
    steps: 7000,
    updates: 1,
    meanReturn,
  } as const;
  const more = { episodes: 10, settings: {}, command: '', versions: {} };
  return writeExpert(path, { ...about, ...more }, new Float32Array(groupSize('actor', shape)));
}

describe('the list of experts', () => {
  test('is empty before the first training', async () => {
    expect(await listExperts(folder.path, shipped)).toEqual([]);
    expect(expertsText([])).toMatch(/no experts yet/);
  });

  test('tells the best return, its share of the data mean and when that was first reached, of trainings and shipped ones', async () => {
    // The data mean of the task is 938.506 (spec §6.5).
    curve('sac', [
      [1000, 200],
      [2000, 940],
      [3000, 930],
      [4000, 950],
    ]);
    curve('weak', [[1000, 300]]);
    curve('begun', []);
    await expert(join(shipped, 'dmcontrol', 'cartpole-balance.safetensors'), 960);
    const rows = await listExperts(folder.path, shipped);
    expect(
      rows.map(({ source, steps, best, reachedAt }) => [source, steps, best?.meanReturn, best?.steps, reachedAt]),
    ).toEqual([
      [null, 7000, 960, 7000, null],
      ['begun', 0, undefined, undefined, null],
      ['sac', 4000, 950, 4000, 2000],
      ['weak', 1000, 300, 1000, null],
    ]);
    expect(rows[2]).toMatchObject({ task: BALANCE, dataMean: 938.506, evaluations: 4 });
    expect(rows[2]?.share).toBeCloseTo(950 / 938.506, 9);
    const lines = expertsText(rows).split('\n');
    expect(lines.some((line) => /cartpole-balance +sac +4000 +950\.0 +4000 +938\.5 +1\.01 +2000/.test(line))).toBe(
      true,
    );
    expect(lines.some((line) => /cartpole-balance +shipped +7000 +960\.0 +7000 +938\.5 +1\.02 +–/.test(line))).toBe(
      true,
    );
    expect(lines.at(-2)).toBe('2 of 3 have reached the data mean');
  });

  test('knows the kept expert of a training whose curve has lost that point', async () => {
    curve('sac', [[1000, 200]]);
    await expert(expertPath(expertFolder(folder.path, BALANCE, 'sac')), 500);
    expect((await listExperts(folder.path, shipped))[0]?.best).toEqual({ meanReturn: 500, steps: 7000 });
  });
});
