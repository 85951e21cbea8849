import { expect, test } from 'vitest';
import { LiveCurve, type LivePoint } from '../../../../server/experts/live-curve.ts';

test('the live curve has a point whenever something was learned, with the mean return of the episodes since', async () => {
  let now: LivePoint = { steps: 0, report: undefined };
  const recorded: [number, Readonly<Record<string, number>>][] = [];
  const curve = new LiveCurve(
    () => now,
    (steps, values) => Promise.resolve(void recorded.push([steps, values])),
  );
  await curve.point();
  expect(recorded).toEqual([]);

  const figures = { criticLoss: 2, actorLoss: -1, temperature: 0.5, entropy: 1, value: 3 };
  now = { steps: 100, report: { updatesPerSecond: 40, figures } };
  curve.ended(Float32Array.of(1, 2, 3));
  curve.ended(Float32Array.of(0, 0, 2));
  await curve.point();
  // While it is evaluated the steps stand still.
  await curve.point();
  now = { ...now, steps: 150 };
  await curve.point();
  expect(recorded).toEqual([
    [100, { trainingReturn: 4, updatesPerSecond: 40, ...figures }],
    [150, { updatesPerSecond: 40, ...figures }],
  ]);
});
