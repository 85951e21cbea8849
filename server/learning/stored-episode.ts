import { readExactly, type DataFile } from '../checkpoints/tensor-file.ts';
import { rowBytes, type Episode, type StepTensor } from './episode.ts';
import type { TrajectoryIndex } from './trajectory-reader.ts';

/** An episode whose bytes still lie in a file, finished or a log. */
export interface StoredEpisode {
  readonly start: number;
  readonly noise: number;
  readonly steps: number;
  readonly read: (tensor: StepTensor) => Promise<Buffer>;
}

/** The episodes of a finished file, in its order; they can be read while the file is open. */
export function storedInFile(file: DataFile, index: TrajectoryIndex): StoredEpisode[] {
  return Array.from({ length: index.episodeCount }, (_, i) => {
    const first = index.episodeOffsets[i] ?? 0;
    const steps = (index.episodeOffsets[i + 1] ?? 0) - first;
    return {
      start: index.starts[i] ?? 0,
      noise: index.noises[i] ?? 0,
      steps,
      read: (tensor) => {
        const bytes = rowBytes(tensor, index.sizes);
        const position = (index.tensors.get(tensor)?.begin ?? 0) + first * bytes;
        return readExactly(file, position, steps * bytes);
      },
    };
  });
}

/** One tensor of an episode that holds float32; any but `successes`. */
export async function readFloats(episode: StoredEpisode, tensor: StepTensor): Promise<Float32Array> {
  // Copied, because a small buffer may lie anywhere in a shared one.
  return new Float32Array(Uint8Array.from(await episode.read(tensor)).buffer);
}

/** The whole episode. */
export async function readEpisode(stored: StoredEpisode): Promise<Episode> {
  return {
    start: stored.start,
    noise: stored.noise,
    observations: await readFloats(stored, 'observations'),
    actions: await readFloats(stored, 'actions'),
    targets: await readFloats(stored, 'targets'),
    rewards: await readFloats(stored, 'rewards'),
    successes: Uint8Array.from(await stored.read('successes')),
  };
}
