import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { groupSize } from '../../../../agent/experts/expert-shape.ts';
import { asidePath, bestSoFar } from '../../../../server/experts/best-so-far.ts';
import { EXPERT_FORMAT, readExpert, writeExpert } from '../../../../server/experts/expert-file.ts';
import { expertPath } from '../../../../server/experts/find-expert.ts';
import { temporaryFolder } from '../../../support/live-server.ts';

const shape = { observationSize: 5, actionSize: 1, hidden: [4] };
let folder: ReturnType<typeof temporaryFolder>;
beforeEach(() => {
  folder = temporaryFolder();
});
afterEach(() => folder.remove());

function curve(points: readonly (readonly [episodes: number, meanReturn: number])[]): void {
  mkdirSync(folder.path, { recursive: true });
  const rest = { updates: 1, normalizedScore: 0, updatesPerSecond: 1, temperature: 1, criticLoss: 1 };
  const rows = points.map(([episodes, meanReturn], i) =>
    JSON.stringify({ steps: i + 1, meanReturn, episodes, ...rest }),
  );
  writeFileSync(join(folder.path, 'curve.jsonl'), rows.map((row) => `${row}\n`).join(''));
}

function keep(episodes: number, meanReturn: number): Promise<void> {
  const about = { format: EXPERT_FORMAT, task: 'dmcontrol/cartpole-balance', shape, actionRepeat: 1 } as const;
  const more = { steps: 1, updates: 1, meanReturn, episodes, settings: {}, command: '', versions: {} };
  return writeExpert(expertPath(folder.path), { ...about, ...more }, new Float32Array(groupSize('actor', shape)));
}

describe('the best actor so far', () => {
  test('of a new training is any', async () => {
    expect(await bestSoFar(folder.path, 10)).toEqual({ meanReturn: -Infinity });
  });

  test('is that of the curve where the number of episodes stays', async () => {
    curve([
      [10, 200],
      [10, 300],
      [10, 250],
    ]);
    await keep(10, 300);
    expect(await bestSoFar(folder.path, 10)).toEqual({ meanReturn: 300 });
    await expect(readExpert(asidePath(folder.path, 10))).rejects.toThrow();
  });

  test('is not compared with evaluations of another number of episodes, and not lost', async () => {
    curve([[10, 300]]);
    await keep(10, 300);
    const { meanReturn, note } = await bestSoFar(folder.path, 50);
    expect(meanReturn).toBe(-Infinity);
    expect(note).toMatch(/300\.0 over 10 episodes.*expert-of-10-episodes.*among themselves/);
    // Still there for whoever asks for the expert before the next evaluation.
    expect((await readExpert(expertPath(folder.path))).about.meanReturn).toBe(300);
    expect((await readExpert(asidePath(folder.path, 10))).about.meanReturn).toBe(300);
  });

  test('is taken back when the number of episodes is again what it was', async () => {
    curve([
      [10, 300],
      [50, 220],
    ]);
    await keep(10, 300);
    await bestSoFar(folder.path, 50);
    await keep(50, 220);
    const { meanReturn, note } = await bestSoFar(folder.path, 10);
    expect(meanReturn).toBe(300);
    expect(note).toMatch(/220\.0 over 50 episodes.*10 episodes \(300\.0\) is the best again/);
    expect((await readExpert(expertPath(folder.path))).about.episodes).toBe(10);
    expect((await readExpert(asidePath(folder.path, 50))).about.meanReturn).toBe(220);
  });
});
