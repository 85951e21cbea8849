import { describe, expect, it } from 'vitest';
import { Batcher } from '../../../../server/inference/batcher.ts';

function recording(
  options: { maxBatch?: number; maxWaitMs?: number; expected?: () => number; maxQueue?: number } = {},
) {
  const batches: number[][] = [];
  const gates: (() => void)[] = [];
  const batcher = new Batcher<number, number>({
    maxBatch: 8,
    maxWaitMs: 5,
    maxQueue: 100,
    expected: () => 16,
    ...options,
    handle: async (batch) => {
      batches.push([...batch]);
      await new Promise<void>((resolve) => gates.push(resolve));
      return batch.map((value) => value * 10);
    },
  });
  return { batcher, batches, open: () => gates.shift()?.() };
}

const turn = () => new Promise((resolve) => setTimeout(resolve, 0));

describe('the batcher', () => {
  it('closes a batch as soon as half of all expected requests are there', async () => {
    const { batcher, batches, open } = recording({ maxWaitMs: 10_000 });
    const replies = Array.from({ length: 16 }, (_, index) => batcher.submit(index));
    await turn();
    expect(batches).toEqual([[0, 1, 2, 3, 4, 5, 6, 7]]);
    open();
    await turn();
    expect(batches[1]).toEqual([8, 9, 10, 11, 12, 13, 14, 15]);
    open();
    expect(await Promise.all(replies)).toEqual(Array.from({ length: 16 }, (_, index) => index * 10));
  });

  it('closes at the deadline when company does not come', async () => {
    const { batcher, batches, open } = recording({ maxWaitMs: 20 });
    const reply = batcher.submit(1);
    await turn();
    expect(batches).toEqual([]);
    await new Promise((resolve) => setTimeout(resolve, 40));
    expect(batches).toEqual([[1]]);
    open();
    expect(await reply).toBe(10);
  });

  it('never exceeds the largest batch', async () => {
    const { batcher, batches } = recording({ maxBatch: 3, expected: () => 100 });
    for (let index = 0; index < 7; index++) void batcher.submit(index);
    await turn();
    expect(batches).toEqual([[0, 1, 2]]);
  });

  it('rejects every request of a batch whose handler fails, and goes on', async () => {
    let fails = true;
    const batcher = new Batcher<number, number>({
      ...{ maxBatch: 2, maxWaitMs: 0, maxQueue: 10, expected: () => 2 },
      handle: (batch) => (fails ? Promise.reject(new Error('boom')) : Promise.resolve([...batch])),
    });
    const outcome = await Promise.allSettled([batcher.submit(1), batcher.submit(2)]);
    expect(outcome.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
    fails = false;
    expect(await batcher.submit(3)).toBe(3);
  });

  it('refuses requests beyond its queue instead of growing', async () => {
    const { batcher } = recording({ maxQueue: 2, maxBatch: 1, expected: () => 1 });
    void batcher.submit(0);
    await turn();
    void batcher.submit(1);
    void batcher.submit(2);
    await expect(batcher.submit(3)).rejects.toThrow(/already holds 2/);
  });

  it('rejects what waits when it is cleared', async () => {
    const { batcher } = recording({ maxWaitMs: 10_000 });
    const reply = batcher.submit(1);
    batcher.clear(new Error('closing'));
    await expect(reply).rejects.toThrow('closing');
  });
});
