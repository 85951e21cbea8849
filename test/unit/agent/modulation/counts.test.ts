import { describe, expect, it } from 'vitest';
import { countBatch, emptyCounts, switchTask } from '../../../../agent/modulation/counts.ts';

describe('usage counts', () => {
  it('weigh a key used by task 0 with next to nothing, and all others the same', () => {
    let usage = emptyCounts(30);
    for (let batch = 0; batch < 10; batch++) usage = countBatch(usage, [3, 3, 3, 3]);
    const { inverseCounts } = switchTask(usage);
    expect(inverseCounts[3]).toBeCloseTo(3.45e-8, 9);
    expect([...inverseCounts].filter((_, key) => key !== 3).every((x) => Math.abs(x - 1 / 29) < 1e-6)).toBe(true);
  });

  it('are means over all batches, and weights change at a switch only', () => {
    const usage = countBatch(countBatch(emptyCounts(3), [0, 0]), [0, 2]);
    expect([...usage.counts]).toEqual([0.75, 0, 0.25]);
    expect([...usage.inverseCounts]).toEqual([1, 1, 1]);
    expect(usage.batches).toBe(2);
  });
});
