import { randomFor } from '../learning/window-sampler.ts';
import type { Replay } from './replay.ts';
import type { SacBatchArrays } from './sac-graph.ts';

/**
 * Fills the batches of consecutive updates. Those of update n are a function of seed, n and the replay alone, so that the number of
 * updates is the whole state of chance.
 */
export function drawBatch(
  batch: SacBatchArrays,
  replay: Replay,
  { seed, firstUpdate, updates }: { seed: number; firstUpdate: number; updates: number },
): void {
  const rows = batch.rewards.length / updates;
  const dims = batch.noise.length / updates;
  for (let update = 0; update < updates; update++) {
    const random = randomFor(seed, 'update', firstUpdate + update);
    for (let row = 0; row < rows; row++) replay.copy(random.below(replay.size), batch, update * rows + row);
    for (const noise of [batch.noise, batch.nextNoise]) {
      for (let i = 0; i < dims; i++) noise[update * dims + i] = random.normal();
    }
  }
}
