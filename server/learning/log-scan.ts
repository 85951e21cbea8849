import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { STEP_TENSORS, rowBytes, type EpisodeSizes, type StepTensor } from './episode.ts';
import { invalidFile, systemCodeOf } from '../checkpoints/tensor-file.ts';
import { readRecord } from './log-record.ts';
import type { StoredEpisode } from './stored-episode.ts';
import { checkedHead, sizesOf, type TrajectoryHead } from './trajectory-format.ts';

export interface LoggedEpisode {
  readonly start: number;
  readonly noise: number;
  readonly steps: number;
  /** Position of the payload in the log: the step tensors one after the other. */
  readonly begin: number;
}

export interface LogScan {
  /** Text of the first record; undefined for an empty file. */
  readonly head: string | undefined;
  readonly episodes: LoggedEpisode[];
  /** Bytes of all whole records. */
  readonly end: number;
  /** What follows them: nothing, a record that was cut off or is being written, or bytes that are not what was written. */
  readonly tail: 'end' | 'torn' | 'damaged';
}

/** Reads a log of finished episodes up to its end or to the first record that is not whole. */
export function scanLog(descriptor: number): LogScan {
  const { size } = fstatSync(descriptor);
  const episodes: LoggedEpisode[] = [];
  let head: string | undefined;
  let end = 0;
  for (;;) {
    const record = readRecord(descriptor, end, size);
    if (typeof record === 'string') return { head, episodes, end, tail: record };
    if (end === 0) {
      head = record.json;
    } else {
      const { start, noise, steps } = JSON.parse(record.json) as LoggedEpisode;
      episodes.push({ start, noise, steps, begin: record.payloadBegin });
    }
    end = record.end;
  }
}

interface LoggedTensor {
  readonly episode: LoggedEpisode;
  readonly tensor: StepTensor;
  readonly sizes: EpisodeSizes;
}

/** The bytes of one tensor of a logged episode. */
export function readLogged(descriptor: number, { episode, tensor, sizes }: LoggedTensor): Buffer {
  const bytes = Buffer.alloc(episode.steps * rowBytes(tensor, sizes));
  const earlier = STEP_TENSORS.slice(0, STEP_TENSORS.indexOf(tensor));
  const offset = earlier.reduce((sum, name) => sum + episode.steps * rowBytes(name, sizes), 0);
  readSync(descriptor, bytes, 0, bytes.byteLength, episode.begin + offset);
  return bytes;
}

/** A log seen by somebody who does not collect: nothing is cut off, nothing written. */
export interface LogReading {
  readonly head: TrajectoryHead;
  readonly episodes: readonly StoredEpisode[];
  readonly tail: LogScan['tail'];
  close(): void;
}

/**
 * Opens the log of a collection for reading, also while it is being written.
 * @returns undefined if there is none, or none yet with a whole description
 * @throws L2mError L2M_DATA_INVALID for a log that describes no task
 */
export function openLogForReading(path: string): LogReading | undefined {
  let descriptor: number;
  try {
    descriptor = openSync(path, 'r');
  } catch (cause) {
    if (systemCodeOf(cause) === 'ENOENT') return undefined;
    throw invalidFile({ path, code: 'L2M_DATA_INVALID' }, `it cannot be opened (${systemCodeOf(cause)})`);
  }
  const scan = scanLog(descriptor);
  const head = scan.head === undefined ? undefined : headOf(scan.head);
  if (head === undefined || typeof head === 'string') {
    closeSync(descriptor);
    if (head === undefined && scan.tail !== 'damaged') return undefined;
    throw invalidFile({ path, code: 'L2M_DATA_INVALID' }, head ?? 'it is no log of episodes');
  }
  const sizes = sizesOf(head.spec);
  return {
    head,
    tail: scan.tail,
    episodes: scan.episodes.map((episode) => ({
      ...episode,
      read: (tensor) => Promise.resolve(readLogged(descriptor, { episode, tensor, sizes })),
    })),
    close: () => {
      closeSync(descriptor);
    },
  };
}

function headOf(text: string): TrajectoryHead | string {
  try {
    return checkedHead(JSON.parse(text));
  } catch {
    return 'a description that is not JSON';
  }
}
