import { describe, expect, it } from 'vitest';
import { Pace } from '../../../../server/control/pace.ts';

/** Takes steps as early as the pace lets it, looking every millisecond. @returns when each was taken */
function taken(...[pace, intervalMs, untilMs, fromMs = 0]: [Pace, number, number, number?]): number[] {
  const times: number[] = [];
  for (let nowMs = fromMs; nowMs < untilMs; nowMs++) if (pace.wait(intervalMs, nowMs) === 0) times.push(nowMs);
  return times;
}

describe('the pace of steps', () => {
  it('keeps the interval on average, also where it is no whole number of milliseconds', () => {
    const times = taken(new Pace(), 12.5, 1000);
    expect(times).toHaveLength(80);
    expect(times[0]).toBe(0);
  });

  it('makes up for a little lag and not for much', () => {
    const pace = new Pace();
    expect(pace.wait(10, 0)).toBe(0);
    expect(taken(pace, 10, 5050, 5000).length).toBeLessThanOrEqual(1 + 10 + 5);
    const gentle = new Pace();
    expect(gentle.wait(10, 0)).toBe(0);
    expect(taken(gentle, 10, 100, 25)).toHaveLength(9);
  });

  it('speeds up at once', () => {
    const pace = new Pace();
    expect(pace.wait(1000, 0)).toBe(0);
    expect(pace.wait(1000, 10)).toBe(990);
    expect(pace.wait(10, 10)).toBe(10);
  });

  it('forgets what was due when the steps stood still on purpose', () => {
    const pace = new Pace();
    expect(pace.wait(10, 0)).toBe(0);
    pace.restart();
    expect(pace.wait(10, 5000)).toBe(0);
    expect(pace.wait(10, 5001)).toBe(9);
  });
});
