import { RateWindow } from '../telemetry/timing.ts';

/** Steps a second of each worker over the last seconds. */
export class WorkerRates {
  readonly #windows = new Map<string, RateWindow>();

  add(worker: string, steps: number): void {
    let window = this.#windows.get(worker);
    if (window === undefined) this.#windows.set(worker, (window = new RateWindow()));
    window.add(steps);
  }

  perSecond(worker: string): number {
    return this.#windows.get(worker)?.perSecond() ?? 0;
  }
}
