import { expect, test } from 'vitest';
import { duration, grouped, percent, short, siNumber } from '../../../dashboards/format.ts';
import { lossReason, retryDelayMs } from '../../../dashboards/retry.ts';
import { colorOf } from '../../../dashboards/task-color.ts';
import { wilsonInterval } from '../../../dashboards/wilson.ts';

test.each([
  [percent(0.8234), '82.3 %'],
  [percent(1), '100 %'],
  [siNumber(612.4), '612'],
  [siNumber(9999), '9\u2009999'],
  [siNumber(12_345), '12.3 k'],
  [siNumber(1_120_000), '1.12 M'],
  [grouped(1_234_567), '1\u2009234\u2009567'],
  [short(3.14159), '3.14'],
  [short(31.4159), '31.4'],
  [short(-314.159), '-314'],
  [short(31415.9), '31\u2009416'],
  [duration(7), '7 s'],
  [duration(95), '1 min 35 s'],
  [duration(3725), '1 h 02 min'],
])('%s', (got, expected) => {
  expect(got).toBe(expected);
});

test('intervals are those of Wilson', () => {
  const { low, high } = wilsonInterval(9, 10);
  expect(low).toBeCloseTo(0.596, 3);
  expect(high).toBeCloseTo(0.982, 3);
  expect(wilsonInterval(0, 0)).toEqual({ low: 0, high: 1 });
  expect(wilsonInterval(10, 10).high).toBeCloseTo(1, 12);
});

test('retries start at once, stay below two seconds for a minute, and slow down then', () => {
  expect(retryDelayMs(0, 1)).toBe(250);
  for (let attempt = 0; attempt < 40; attempt++) expect(retryDelayMs(attempt, 1)).toBeLessThan(2000);
  expect(retryDelayMs(50, 1)).toBe(8000);
  expect(retryDelayMs(50, 0)).toBe(4000);
  expect(lossReason(4008)).toMatch(/behind/);
});

test('a task has one colour for ever', () => {
  expect(colorOf('metaworld/reach-v3')).toBe(colorOf('metaworld/reach-v3'));
  expect(new Set(['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i'].map(colorOf)).size).toBeGreaterThan(3);
});
