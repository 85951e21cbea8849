import { STEP_TENSORS, rowBytes } from '../learning/episode.ts';
import type { StoredEpisode } from '../learning/stored-episode.ts';
import type { DataSet } from './open-data-set.ts';

/** An episode with its numbers among all of a data set of LeRobot. */
export interface PlacedEpisode {
  readonly stored: StoredEpisode;
  readonly task: string;
  readonly taskIndex: number;
  readonly episodeIndex: number;
  /** Index of its first frame among all frames. */
  readonly firstIndex: number;
}

/** LeRobot's own limit of a file of frames, before compression. */
const FILE_BYTES = 100 * 1024 * 1024;

/** All episodes, task by task, shared out to files that none outgrows the limit by more than an episode. */
export function lerobotFiles(sets: readonly DataSet[], fileBytes = FILE_BYTES): PlacedEpisode[][] {
  const files: PlacedEpisode[][] = [];
  let [bytes, episodeIndex, firstIndex] = [Infinity, 0, 0];
  for (const [taskIndex, { head, sizes, episodes }] of sets.entries()) {
    const frameBytes = STEP_TENSORS.reduce((sum, tensor) => sum + rowBytes(tensor, sizes), 0);
    for (const stored of episodes) {
      if (bytes >= fileBytes) {
        files.push([]);
        bytes = 0;
      }
      files.at(-1)?.push({ stored, task: head.task, taskIndex, episodeIndex, firstIndex });
      bytes += stored.steps * frameBytes;
      episodeIndex++;
      firstIndex += stored.steps;
    }
  }
  return files;
}
