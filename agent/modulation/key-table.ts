import { AgentError } from '../agent-error.ts';

/** Row of the pool that fitted identity keys point to: it never learns, so what falls on it is decided by the frozen model alone. */
export const IDENTITY_ROW = 0;

/** Added to the score of a key that is not in use: far below any cosine, and a number that float16 can hold. */
const NOT_IN_USE = -10_000;

/** Keys that share modulators, as a pool keeps them (`PoolSizes.keyTable`). K keys of width D; arrays are changed in place. */
export interface KeyTable {
  /** [K, D] */
  readonly keys: Float32Array;
  /** [K] row of the pool */
  readonly modulators: Float32Array;
  /** [K] 0 for a key in use */
  readonly biases: Float32Array;
  /** [K] place of the key's layout (`PoolSizes.byLayout`); absent where keys of all layouts compete */
  readonly layouts?: Float32Array | undefined;
}

/** What keys of one task stand for. */
export interface KeyOwner {
  /** Row of the pool. */
  readonly modulator: number;
  /** Place of the task's layout, where the table has layouts. */
  readonly layout?: number | undefined;
}

/** A table without a key in use: every window then falls on its first key, the identity. */
export function emptyKeyTable(keyCount: number, width: number): KeyTable {
  return {
    keys: new Float32Array(keyCount * width),
    modulators: new Float32Array(keyCount).fill(IDENTITY_ROW),
    biases: new Float32Array(keyCount).fill(NOT_IN_USE),
  };
}

/**
 * Puts keys of one task into the free places of a table.
 *
 * @param keys [n, D]
 * @throws AgentError L2M_CONFIG_INVALID if there are not enough places
 */
export function addKeys(table: KeyTable, keys: Float32Array, { modulator, layout = 0 }: KeyOwner): void {
  const width = table.keys.length / table.biases.length;
  const count = keys.length / width;
  const first = table.biases.findIndex((bias) => bias !== 0);
  if (first < 0 || first + count > table.biases.length) {
    const used = first < 0 ? table.biases.length : first;
    throw new AgentError(
      'L2M_CONFIG_INVALID',
      `${count} keys for a table of ${table.biases.length} with ${used} in use`,
    );
  }
  table.keys.set(keys, first * width);
  table.modulators.fill(modulator, first, first + count);
  table.biases.fill(0, first, first + count);
  table.layouts?.fill(layout, first, first + count);
}

/** Whether some key in use points to a row. */
export function hasKeysOf(table: KeyTable, modulator: number): boolean {
  return table.modulators.some((row, key) => row === modulator && table.biases[key] === 0);
}
