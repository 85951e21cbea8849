import { describe, expect, it } from 'vitest';
import { createMetrics } from '../../../../server/telemetry/metrics.ts';
import { Telemetry } from '../../../../server/telemetry/telemetry.ts';
import { RateWindow, TimingWindow } from '../../../../server/telemetry/timing.ts';

class Clock {
  ms = 1_000_000;
  readonly now = (): number => this.ms;
}

describe('TimingWindow', () => {
  it('gives nearest-rank quantiles', () => {
    const window = new TimingWindow();
    for (let value = 100; value >= 1; value--) window.add(value);
    expect(window.quantiles([0, 0.5, 0.99, 1])).toEqual([1, 50, 99, 100]);
    expect(new TimingWindow().median()).toBe(0);
  });

  it('forgets what is older than the window and what exceeds its capacity', () => {
    const clock = new Clock();
    const window = new TimingWindow({ windowMs: 1000, capacity: 4, now: clock.now });
    window.add(1000);
    clock.ms += 1001;
    for (const value of [1, 2, 3]) window.add(value);
    expect(window.quantiles([0, 0.5, 1])).toEqual([1, 2, 3]);
    for (const value of [7, 8, 9, 10]) window.add(value);
    expect(window.quantiles([0, 1])).toEqual([7, 10]);
    clock.ms += 2000;
    expect(window.median()).toBe(0);
  });
});

describe('RateWindow', () => {
  it('counts per second over the window, and over less time at the beginning', () => {
    const clock = new Clock();
    const rate = new RateWindow({ windowMs: 5000, now: clock.now });
    expect(rate.perSecond()).toBe(0);
    for (let tick = 0; tick < 10; tick++) {
      clock.ms += 100;
      rate.add(8);
    }
    expect(rate.perSecond()).toBeCloseTo(80);
    for (let tick = 0; tick < 100; tick++) {
      clock.ms += 100;
      rate.add(4);
    }
    expect(rate.perSecond()).toBeGreaterThan(38);
    expect(rate.perSecond()).toBeLessThan(42);
    clock.ms += 6000;
    expect(rate.perSecond()).toBe(0);
  });
});

describe('Telemetry', () => {
  it('feeds the page and the metrics from one call', async () => {
    const clock = new Clock();
    const telemetry = new Telemetry(createMetrics(), { now: clock.now });
    clock.ms += 500;
    telemetry.ticked({ simulateMs: 4, transportMs: 1, totalMs: 12, steps: 16 });
    telemetry.ticked({ simulateMs: 6, transportMs: 1, totalMs: 14, steps: 16 });
    telemetry.decided({ batchSize: 32, decideMs: 7.5, queueMs: 0.5 });
    telemetry.queueDepth(3);
    telemetry.viewers(2);
    telemetry.metrics.episodes.inc({ outcome: 'success' });
    expect(telemetry.load()).toEqual({
      stepsPerSecond: 64,
      simulateMs: 4,
      transportMs: 1,
      decideMs: 7.5,
      totalMs: 12,
      batchSize: 32,
      queueDepth: 3,
      queueMs: 0.5,
      viewers: 2,
    });
    const text = await telemetry.metrics.registry.metrics();
    expect(text).toContain('l2m_steps_total 32');
    expect(text).toContain('l2m_simulate_seconds_count 2');
    expect(text).toContain('l2m_decide_seconds_sum 0.0075');
    expect(text).toContain('l2m_batch_size_bucket{le="32"} 1');
    expect(text).toContain('l2m_episodes_total{outcome="success"} 1');
    expect(text).toContain('l2m_viewers 2');
  });

  it('keeps the figures of two servers in one process apart', async () => {
    const [one, two] = [createMetrics({ processFigures: true }), createMetrics({ processFigures: true })];
    one.steps.inc(5);
    expect(await two.registry.metrics()).toContain('l2m_steps_total 0');
    expect(await two.registry.metrics()).toContain('nodejs_eventloop_lag');
  });
});
