import { expect, test } from 'vitest';
import { retryDelayMs } from '../../../dashboards/retry.ts';

test('a page is back within two seconds of its server, whenever in the first minute that comes back', () => {
  let elapsedMs = 0;
  for (let attempt = 0; elapsedMs < 30_000; attempt++) {
    // The longest wait there is: the server may come back right after an attempt failed.
    const longest = retryDelayMs(attempt, 1);
    expect(longest).toBeLessThanOrEqual(1800);
    elapsedMs += retryDelayMs(attempt, 0);
  }
});

test('waits grow, are spread so that many pages do not come at once, and end at eight seconds', () => {
  expect(retryDelayMs(0, 1)).toBeLessThan(retryDelayMs(2, 1));
  expect(retryDelayMs(5, 0)).toBe(retryDelayMs(5, 1) / 2);
  expect(retryDelayMs(1000, 1)).toBe(8000);
});
