/** Steps that came late are not made up for beyond this: an environment that was slow does not race afterwards. */
const MOST_LAG_MS = 100;
/** Timers fire on whole milliseconds. */
const EARLY_MS = 0.5;

/** Keeps steps at a set interval of wall-clock time. */
export class Pace {
  #dueMs: number | undefined;

  /** Milliseconds until the next step may be taken; 0 if it may now, which then counts as taken. */
  wait(intervalMs: number, nowMs: number): number {
    // A shorter interval than the one before takes effect at once.
    const dueMs = Math.min(this.#dueMs ?? nowMs, nowMs + intervalMs);
    if (nowMs < dueMs - EARLY_MS) return dueMs - nowMs;
    this.#dueMs = Math.max(dueMs, nowMs - MOST_LAG_MS) + intervalMs;
    return 0;
  }

  /** Forgets what was due: the steps stood still on purpose. */
  restart(): void {
    this.#dueMs = undefined;
  }
}
