import { describe, expect, it } from 'vitest';
import { L2mError } from '../../../../server/errors.ts';
import { CommitQueue } from '../../../../server/store/commit-queue.ts';

/** A disk whose commits finish when told to. */
class SlowDisk {
  readonly batches: number[][] = [];
  #open: (() => void)[] = [];

  commit = async (rows: readonly number[]): Promise<void> => {
    this.batches.push([...rows]);
    await new Promise<void>((resolve) => this.#open.push(resolve));
  };

  async finishOne(): Promise<void> {
    while (this.#open.length === 0) await new Promise(setImmediate);
    this.#open.shift()?.();
    await new Promise(setImmediate);
  }
}

describe('CommitQueue', () => {
  it('commits the rows of one turn together and those that arrive meanwhile in the next batch', async () => {
    const disk = new SlowDisk();
    const queue = new CommitQueue<number>({ commit: disk.commit, maxBatch: 3, maxWaiting: 100 });
    const first = [queue.add(1), queue.add(2)];
    await new Promise(setImmediate);
    const later = [3, 4, 5, 6].map((row) => queue.add(row));
    await disk.finishOne();
    await Promise.all(first);
    await disk.finishOne();
    await disk.finishOne();
    await Promise.all(later);
    expect(disk.batches).toEqual([[1, 2], [3, 4, 5], [6]]);
  });

  it('flushes what was added, and again what is added later', async () => {
    const done: number[] = [];
    const commit = (rows: readonly number[]): Promise<void> => {
      done.push(...rows);
      return Promise.resolve();
    };
    const queue = new CommitQueue<number>({ commit, maxBatch: 2, maxWaiting: 100 });
    await queue.flush();
    void queue.add(1);
    await queue.flush();
    expect(done).toEqual([1]);
    for (const row of [2, 3, 4, 5, 6]) void queue.add(row);
    await queue.flush();
    expect(done).toEqual([1, 2, 3, 4, 5, 6]);
  });

  it('refuses rows beyond its limit and says so at the flush', async () => {
    const disk = new SlowDisk();
    const queue = new CommitQueue<number>({ commit: disk.commit, maxBatch: 2, maxWaiting: 3 });
    const accepted = [1, 2, 3].map((row) => queue.add(row));
    await expect(queue.add(4)).rejects.toMatchObject({ code: 'L2M_STORE_UNWRITABLE' });
    await disk.finishOne();
    await disk.finishOne();
    await Promise.all(accepted);
    await expect(queue.flush()).rejects.toMatchObject({ code: 'L2M_STORE_UNWRITABLE' });
    await expect(queue.flush()).resolves.toBeUndefined();
  });

  it('tries rows one by one when a batch is refused, but not when the disk is at fault', async () => {
    const tried: number[][] = [];
    let disk: 'picky' | 'full' = 'picky';
    const commit = (rows: readonly number[]): Promise<void> => {
      tried.push([...rows]);
      if (disk === 'full') return Promise.reject(new L2mError('L2M_STORE_UNWRITABLE', 'no space'));
      return rows.includes(2) ? Promise.reject(new Error('not this one')) : Promise.resolve();
    };
    const queue = new CommitQueue<number>({ commit, maxBatch: 10, maxWaiting: 10 });
    const outcomes = await Promise.allSettled([1, 2, 3].map((row) => queue.add(row)));
    expect(outcomes.map((outcome) => outcome.status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
    expect(tried).toEqual([[1, 2, 3], [1], [2], [3]]);
    disk = 'full';
    await Promise.allSettled([4, 5].map((row) => queue.add(row)));
    expect(tried).toHaveLength(5);
    await expect(queue.flush()).rejects.toThrow('not this one');
  });
});
