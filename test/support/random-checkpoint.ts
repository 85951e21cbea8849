import { PAPER_OPTIONS, type ModelConfig, type ModulationConfig } from '../../agent/config.ts';
import { randomSource } from '../../agent/random.ts';
import { initialArrays } from '../../agent/weights/initialise.ts';
import type { CheckpointManifest } from '../../server/checkpoints/manifest.ts';
import { writeCheckpoint } from '../../server/checkpoints/write-checkpoint.ts';

const MODEL: ModelConfig = {
  ...{ width: 32, blocks: 2, heads: 2, context: 5, stateSize: 204 },
  ...{ actionSize: 6, bins: 64, maximumTimestep: 1000 },
};
const MODULATION: ModulationConfig = { kind: 'lora', poolSize: 8, keyCount: 8, rank: 4, scaling: 2 };

/** Sizes of the policy that `writeRandomCheckpoint` writes. */
export const RANDOM_CHECKPOINT_MODEL = MODEL;

/**
 * Writes a checkpoint with weights drawn at random: a real policy of a size that tests can afford.
 * @param poolSeed the pool's, where it shall differ from that of the model
 */
export async function writeRandomCheckpoint(folder: string, seed = 1, poolSeed = seed): Promise<void> {
  const draw = (from: number) => initialArrays({ model: MODEL, modulation: MODULATION }, randomSource(from));
  const [arrays, pools] = [draw(seed), draw(poolSeed)];
  const isPool = (name: string) => name.startsWith('prompt.');
  await writeCheckpoint(folder, {
    manifest: {
      ...{ name: 'random', createdAt: '2026-01-01T00:00:00.000Z', model: MODEL, modulation: MODULATION },
      ...{ options: { ...PAPER_OPTIONS } as CheckpointManifest['options'], targetReturns: {}, data: [], lineage: [] },
      provenance: { command: 'test', commit: 'unknown', versions: {} },
    },
    model: new Map([...arrays].filter(([name]) => !isPool(name))),
    pool: new Map([...pools].filter(([name]) => isPool(name))),
  });
}
