import { describe, expect, it } from 'vitest';
import { pinkNoise, uniformFromNormal } from '../../../../agent/experts/pink-noise.ts';

const EPISODES = 400;
const noise = Array.from({ length: EPISODES }, (_, episode) =>
  Array.from({ length: 64 }, (__, step) => pinkNoise(1_000_003 * episode + 17, step, 2)),
);

function correlation(distance: number, of: (a: Float32Array, b: Float32Array) => [number, number]): number {
  let [sum, count] = [0, 0];
  for (const episode of noise) {
    for (let step = 0; step + distance < episode.length; step++) {
      const [first, second] = of(episode[step]!, episode[step + distance]!);
      sum += first * second;
      count += 1;
    }
  }
  return sum / count;
}

describe('pink noise', () => {
  it('is standard normal in each number', () => {
    const all = noise.flat().flatMap((pair) => [...pair]);
    const mean = all.reduce((a, b) => a + b, 0) / all.length;
    expect(Math.abs(mean)).toBeLessThan(0.05);
    expect(correlation(0, (a) => [a[0]!, a[0]!])).toBeCloseTo(1, 1);
    const within = all.filter((value) => Math.abs(value) < 1).length / all.length;
    expect(within).toBeCloseTo(0.683, 1);
  });

  it('drifts: neighbours are alike, the distant less and less', () => {
    const at = (distance: number) => correlation(distance, (a, b) => [a[0]!, b[0]!]);
    expect(at(1)).toBeGreaterThan(0.7);
    expect(at(8)).toBeLessThan(at(1) - 0.2);
    expect(at(32)).toBeLessThan(at(8));
  });

  it('moves its dimensions independently, and is a function of its arguments', () => {
    expect(Math.abs(correlation(0, (a) => [a[0]!, a[1]!]))).toBeLessThan(0.1);
    expect(pinkNoise(5, 77, 3)).toEqual(pinkNoise(5, 77, 3));
    expect(pinkNoise(6, 77, 3)).not.toEqual(pinkNoise(5, 77, 3));
  });

  it('becomes uniform by its distribution function', () => {
    expect(uniformFromNormal(0)).toBeCloseTo(0, 6);
    expect(uniformFromNormal(1)).toBeCloseTo(0.6826895, 6);
    expect(uniformFromNormal(-1.959964)).toBeCloseTo(-0.95, 6);
    expect(uniformFromNormal(9)).toBeCloseTo(1, 9);
  });
});
