import { openDataFile, type DataFile } from '../checkpoints/tensor-file.ts';
import { L2mError } from '../errors.ts';
import { openLogForReading, type LogReading } from '../learning/log-scan.ts';
import { storedInFile, type StoredEpisode } from '../learning/stored-episode.ts';
import { sizesOf, type TrajectoryHead } from '../learning/trajectory-format.ts';
import { readTrajectoryIndexOf, type TrajectoryIndex } from '../learning/trajectory-reader.ts';
import type { EpisodeSizes } from '../learning/episode.ts';
import type { DataSetPlace } from './data-sets.ts';

/** A data set open for reading. Nothing is changed by that, so it may be collected meanwhile. */
export interface DataSet {
  readonly place: DataSetPlace;
  readonly head: TrajectoryHead;
  readonly sizes: EpisodeSizes;
  /** Sha-256 of the finished file's tensors, as its writer computed it; undefined where nothing is finished. */
  readonly contentHash: string | undefined;
  /** Each once, ordered by start and noise. */
  readonly episodes: readonly StoredEpisode[];
  /** Of those, how many are in the log alone. */
  readonly loggedEpisodes: number;
  /** What follows the last whole record of the log. */
  readonly tail: LogReading['tail'];
  close(): Promise<void>;
}

/**
 * Opens a data set.
 * @returns undefined if it holds no description yet, because its collection has just begun
 * @throws L2mError L2M_DATA_INVALID with what was got
 */
export async function openDataSet(place: DataSetPlace): Promise<DataSet | undefined> {
  // The log first: a collection that ends now removes it only after the finished file has everything.
  const log = place.log === undefined ? undefined : openLogForReading(place.log);
  let file: DataFile | undefined;
  try {
    file = place.file === undefined ? await fileOfEndedLog(place, log) : await openDataFile(place.file, 'L2M_DATA_INVALID');
    const index = file === undefined ? undefined : await readTrajectoryIndexOf(file);
    const head = index?.head ?? log?.head;
    if (head === undefined) return undefined;
    return dataSet(place, { head, index, file, log });
  } catch (thrown) {
    await file?.handle.close();
    log?.close();
    throw thrown;
  }
}

/** A collection that ended after the folder was listed has left a finished file in place of the log. */
async function fileOfEndedLog(place: DataSetPlace, log: LogReading | undefined): Promise<DataFile | undefined> {
  if (place.log === undefined || log !== undefined) return undefined;
  return openDataFile(place.log.slice(0, -'.part'.length), 'L2M_DATA_INVALID').catch(() => undefined);
}

interface Opened {
  readonly head: TrajectoryHead;
  readonly index: TrajectoryIndex | undefined;
  readonly file: DataFile | undefined;
  readonly log: LogReading | undefined;
}

function dataSet(place: DataSetPlace, { head, index, file, log }: Opened): DataSet {
  const { task, source } = head;
  if (task !== place.task || source !== place.source) {
    const path = place.file ?? place.log ?? '';
    throw new L2mError('L2M_DATA_INVALID', `${path} says that it is ${task} of ${source}`, {
      hint: 'A file was renamed or moved by hand: put it back under its own name.',
    });
  }
  const episodes = new Map<string, StoredEpisode>();
  const keyOf = ({ start, noise }: StoredEpisode) => `${start} ${Math.fround(noise)}`;
  for (const episode of log?.episodes ?? []) episodes.set(keyOf(episode), episode);
  const finished = file === undefined || index === undefined ? [] : storedInFile(file, index);
  for (const episode of finished) episodes.set(keyOf(episode), episode);
  return {
    place,
    head,
    sizes: sizesOf(head.spec),
    contentHash: index?.contentHash,
    episodes: [...episodes.values()].sort((a, b) => a.start - b.start || a.noise - b.noise),
    loggedEpisodes: episodes.size - (index?.episodeCount ?? 0),
    tail: log?.tail ?? 'end',
    close: async () => {
      log?.close();
      await file?.handle.close();
    },
  };
}
