import { expect, test } from 'vitest';
import { Curve } from '../../../dashboards/curve.ts';

function points(curve: Curve): [number, number][] {
  return Array.from({ length: curve.length }, (_, index) => [curve.steps[index]!, curve.returns[index]!]);
}

test('short episodes keep every point', () => {
  const curve = new Curve(16);
  for (let step = 1; step <= 10; step++) curve.add(step, 1, step);
  expect(points(curve)).toEqual(Array.from({ length: 10 }, (_, index) => [index + 1, index + 1]));
});

test('long episodes keep their shape, their last point, and their bound', () => {
  const curve = new Curve(64);
  for (let step = 1; step <= 10_000; step++) curve.add(step, 0, Math.sin(step / 1000));
  expect(curve.length).toBeLessThanOrEqual(64);
  expect(curve.length).toBeGreaterThan(16);
  const kept = points(curve);
  expect(kept.at(-1)?.[0]).toBe(10_000);
  for (const [step, value] of kept) expect(value).toBeCloseTo(Math.sin(step / 1000), 5);
  const gaps = kept.slice(1).map(([step], index) => step - kept[index]![0]);
  expect(Math.max(...gaps)).toBeLessThan(1200);
});

test('a step that came before is not added', () => {
  const curve = new Curve(8);
  curve.add(5, 0, 0);
  curve.add(5, 1, 1);
  curve.add(4, 1, 1);
  expect(curve.length).toBe(1);
  curve.clear();
  curve.add(1, 0, 0);
  expect(points(curve)).toEqual([[1, 0]]);
});
