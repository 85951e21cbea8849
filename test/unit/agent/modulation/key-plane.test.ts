import { describe, expect, it } from 'vitest';
import { keyPlane } from '../../../../agent/modulation/key-plane.ts';
import { randomSource } from '../../../../agent/random.ts';

const WIDTH = 12;

/** Unit keys that differ along dimension 3 most, along dimension 7 less, and hardly elsewhere. */
function keys(): number[] {
  const random = randomSource(2);
  return Array.from({ length: 20 }, () => {
    const row = Array.from({ length: WIDTH }, () => 0.001 * random.normal());
    row[0]! += 1;
    row[3]! += 0.5 * (random.uniform() - 0.5);
    row[7]! += 0.2 * (random.uniform() - 0.5);
    return row;
  }).flat();
}

describe('keyPlane', () => {
  it('finds the two directions in which the keys differ most', () => {
    const all = keys();
    const plane = keyPlane(all, WIDTH);
    expect(plane.shares[0]).toBeGreaterThan(plane.shares[1]);
    expect(plane.shares[0] + plane.shares[1]).toBeGreaterThan(0.99);
    const points = plane.project(all);
    const units = Array.from({ length: 20 }, (_, k) => {
      const row = all.slice(k * WIDTH, (k + 1) * WIDTH);
      const length = Math.hypot(...row);
      return row.map((value) => value / length);
    });
    for (const [axis, dimension] of [
      [0, 3],
      [1, 7],
    ] as const) {
      const along = units.map((row) => row[dimension]!);
      const mean = along.reduce((sum, value) => sum + value, 0) / along.length;
      const sign = Math.sign(points[axis]! * (along[0]! - mean));
      along.forEach((value, k) => expect(Math.abs(points[2 * k + axis]! * sign - (value - mean))).toBeLessThan(0.02));
    }
  });

  it('does not depend on lengths, and puts a query where a key of its direction is', () => {
    const all = keys();
    const plane = keyPlane(all, WIDTH);
    const longer = all.slice(0, WIDTH).map((value) => 17 * value);
    expect([...plane.project(longer)].map((value) => value.toFixed(5))).toEqual(
      [...plane.project(all).slice(0, 2)].map((value) => value.toFixed(5)),
    );
  });

  it('survives equal keys', () => {
    const plane = keyPlane(
      Array.from({ length: 3 * WIDTH }, (_, i) => (i % WIDTH === 0 ? 1 : 0)),
      WIDTH,
    );
    expect(plane.shares).toEqual([0, 0]);
    expect([...plane.project(new Float32Array(WIDTH))].every(Number.isFinite)).toBe(true);
  });
});
