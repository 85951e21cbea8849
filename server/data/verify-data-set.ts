import { errorFromUnknown } from '../errors.ts';
import { episodeProblem } from '../learning/episode.ts';
import { readEpisode } from '../learning/stored-episode.ts';
import { readTrajectories } from '../learning/trajectory-reader.ts';
import type { DataSetPlace } from './data-sets.ts';
import { openDataSet, type DataSet } from './open-data-set.ts';

export interface DataVerdict {
  readonly task: string;
  readonly source: string;
  /** The files that were read. */
  readonly files: readonly string[];
  /** Episodes whose every number was looked at. */
  readonly episodes: number;
  readonly sha256: string | null;
  /** What makes the data unusable, one sentence each; empty if they are sound. */
  readonly problems: readonly string[];
  /** What is worth knowing and no fault: an episode that is being written. */
  readonly remarks: readonly string[];
}

/**
 * Reads every byte of a data set: hash and shapes of the finished file, checksums of the log, and of each episode that its numbers are
 * finite, its actions within [-1, 1] and its lengths equal.
 */
export async function verifyDataSet(place: DataSetPlace): Promise<DataVerdict> {
  const { task, source, file, log } = place;
  const problems: string[] = [];
  const remarks: string[] = [];
  const found = { episodes: 0, sha256: null as string | null };
  try {
    if (file !== undefined) found.sha256 = (await readTrajectories(file)).contentHash;
    const set = await openDataSet(place);
    if (set === undefined) {
      remarks.push(`${log ?? ''} describes no task yet`);
    } else {
      try {
        await verifyEpisodes(set, problems);
        found.episodes = set.episodes.length;
        if (set.tail === 'torn') remarks.push(`${log ?? ''} ends within an episode, which is being written or was cut off`);
        if (set.tail === 'damaged')
          problems.push(`${log ?? ''} has bytes after episode ${set.loggedEpisodes} that are not what was written`);
      } finally {
        await set.close();
      }
    }
  } catch (thrown) {
    problems.push(errorFromUnknown(thrown).message);
  }
  const files = [file, log].filter((path) => path !== undefined);
  return { task, source, files, ...found, problems, remarks };
}

async function verifyEpisodes(set: DataSet, problems: string[]): Promise<void> {
  for (const stored of set.episodes) {
    const problem = episodeProblem(await readEpisode(stored), set.sizes);
    if (problem === undefined) continue;
    problems.push(`${set.place.file ?? set.place.log ?? ''}: start ${stored.start}, noise ${stored.noise}: ${problem}`);
  }
}
