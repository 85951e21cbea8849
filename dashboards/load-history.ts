import type { LoadView } from '../protocol/dashboard-views.ts';

/** Two minutes at one sample a second. */
const CAPACITY = 120;

/** Throughput of the last two minutes, one sample a second, oldest first. */
export class LoadHistory {
  /** Seconds since 1970. */
  times: number[] = [];
  stepsPerSecond: number[] = [];

  clear(): void {
    this.times = [];
    this.stepsPerSecond = [];
  }

  /** @param now seconds since 1970 */
  add(load: LoadView, now: number): void {
    const last = this.times.at(-1);
    if (last !== undefined && now - last < 1) return;
    this.times.push(now);
    this.stepsPerSecond.push(load.stepsPerSecond);
    if (this.times.length <= CAPACITY) return;
    this.times.shift();
    this.stepsPerSecond.shift();
  }
}
