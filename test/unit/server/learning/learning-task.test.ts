import { describe, expect, test } from 'vitest';
import { MODEL_PRESETS } from '../../../../agent/config.ts';
import { learningTask, returnsToGo, settledRows } from '../../../../server/learning/learning-task.ts';
import { standardisationTable } from '../../../../server/learning/standardisation.ts';
import { CUP, REACH, sampleTrajectories } from './sample-trajectories.ts';

const model = MODEL_PRESETS.tiny;

describe('preparing trajectories', () => {
  test('return-to-go sums the rest of each episode and nothing of the next', () => {
    expect([...returnsToGo(Float32Array.of(1, 2, 3, 10, 20), Int32Array.of(0, 3, 5))]).toEqual([6, 5, 3, 30, 20]);
  });

  test('return-to-go is summed in single precision from the end, as the reference does', () => {
    const rewards = Float32Array.from({ length: 500 }, (_, i) => Math.sin(i) * 7.3);
    let sum = new Float32Array(1);
    const expected = [...rewards].reverse().map((reward) => {
      sum = Float32Array.of(sum[0]! + reward);
      return sum[0]!;
    });
    expect([...returnsToGo(rewards, Int32Array.of(0, 500))]).toEqual(expected.reverse());
  });

  test('a task that does not fit the model is refused by name', () => {
    const wide = { ...REACH, actionSize: 7 };
    expect(() => learningTask(sampleTrajectories(wide, [5]), { model, heldOutShare: 0 })).toThrow(/7 dimensions/);
    const strange = { ...CUP, observation: [{ name: 'positions', size: 8 }] };
    expect(() => learningTask(sampleTrajectories(strange, [5]), { model, heldOutShare: 0 })).toThrow(/positions/);
  });

  test('the first settled row follows the first success', () => {
    const settled = (successAt?: number) => [
      ...learningTask(sampleTrajectories(REACH, [5, 3], successAt), { model, heldOutShare: 0 }).settledRows,
    ];
    expect(settled(2)).toEqual([3, 8]);
    expect(settled(0)).toEqual([1, 6]);
    expect(settled()).toEqual([5, 8]);
  });

  test('where no success is told, the first settled row follows 25 high rewards in a row', () => {
    const sample = sampleTrajectories(CUP, [60, 60, 60]);
    const high = (from: number, count: number) =>
      Array.from({ length: 60 }, (_, i) => (i >= from && i < from + count ? 0.9 : 0.89));
    const rewards = Float32Array.from([...high(10, 24), ...high(10, 25), ...high(35, 25)]);
    // 0.9 itself is not a number of single precision.
    expect([...settledRows({ ...sample, rewards: rewards.map((reward) => reward + 1e-3) })]).toEqual([60, 95, 180]);
    expect([...settledRows({ ...sample, rewards: new Float32Array(180) })]).toEqual([60, 120, 180]);
  });

  test('mean and deviation are those of what the policy sees, empty slots included', () => {
    const tasks = [REACH, CUP].map((spec) => learningTask(sampleTrajectories(spec, [400]), { model, heldOutShare: 0 }));
    const cupOnly = standardisationTable([tasks[1]!], model.stateSize);
    expect(cupOnly.mean[0]).toBe(0);
    expect(cupOnly.deviation[0]).toBe(0);
    const values = [...tasks[1]!.trajectories.observations].filter((_, i) => i % 8 === 4);
    const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
    const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length;
    expect(cupOnly.mean[14]).toBeCloseTo(mean, 6);
    expect(cupOnly.deviation[14]).toBeCloseTo(Math.sqrt(variance), 6);
  });
});
