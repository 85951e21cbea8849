import { beforeAll, describe, expect, it } from 'vitest';
import { countBatch, emptyCounts, switchTask } from '../../../../agent/modulation/counts.ts';
import { selectKeys } from '../../../../agent/modulation/match.ts';
import { tensor, tidy } from '../../../../agent/ops.ts';
import { startBackend } from '../support/backend.ts';

describe('usage counts', () => {
  beforeAll(() => startBackend('cpu'));

  it('weigh a key used by task 0 with next to nothing, and all others the same', () => {
    let usage = emptyCounts(30);
    for (let batch = 0; batch < 10; batch++) usage = countBatch(usage, [3, 3, 3, 3]);
    const { inverseCounts } = switchTask(usage);
    expect(inverseCounts[3]).toBeCloseTo(3.45e-8, 9);
    expect([...inverseCounts].filter((_, key) => key !== 3).every((x) => Math.abs(x - 1 / 29) < 1e-6)).toBe(true);
  });

  it('keep a key of task 0 from task 1 while learning, but not in evaluation', () => {
    const { inverseCounts } = switchTask(countBatch(emptyCounts(30), [3, 3]));
    tidy(() => {
      // Nothing is more alike than key 3, and nothing less than all the others.
      const cosines = tensor(
        Float32Array.from({ length: 30 }, (_, key) => (key === 3 ? 1 : -0.999 + key / 1e4)),
        [1, 30],
      );
      const learning = selectKeys(cosines, { inverseCounts: tensor(inverseCounts) }).dataSync()[0];
      expect(learning).toBe(29);
      expect(selectKeys(cosines, {}).dataSync()[0]).toBe(3);
    });
  });

  it('are means over all batches, and weights change at a switch only', () => {
    const usage = countBatch(countBatch(emptyCounts(3), [0, 0]), [0, 2]);
    expect([...usage.counts]).toEqual([0.75, 0, 0.25]);
    expect([...usage.inverseCounts]).toEqual([1, 1, 1]);
    expect(usage.batches).toBe(2);
  });
});
