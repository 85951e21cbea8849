import type { LiveFrames } from '../live-frames.ts';

export const COLUMN_MS = 500;
const COLUMNS = 120;

/** The selected key of each environment in the last minute, a column every half second; environments that have gone are left out. */
export class SelectionHistory {
  /** By environment, oldest first, all of the same length; -1 where none was selected or the environment was not there. */
  readonly rows = new Map<string, number[]>();
  #length = 0;
  #sampledAt = -Infinity;

  /** @param now milliseconds @returns whether there is a new column */
  sample(live: Pick<LiveFrames, 'environments'>, now: number): boolean {
    if (now - this.#sampledAt < COLUMN_MS) return false;
    this.#sampledAt = now;
    for (const key of [...this.rows.keys()]) if (!live.environments.has(key)) this.rows.delete(key);
    for (const [key, { numbers }] of live.environments) {
      const row = this.rows.get(key) ?? new Array<number>(this.#length).fill(-1);
      this.rows.set(key, row);
      row.push(numbers.selection);
      if (row.length > COLUMNS) row.shift();
    }
    this.#length = Math.min(COLUMNS, this.#length + 1);
    return true;
  }
}
