import { closeSync, fsync, ftruncateSync, mkdirSync, openSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';
import { promisify } from 'node:util';
import { L2mError } from '../errors.ts';
import { STEP_TENSORS, type Episode, type EpisodeSizes, type StepTensor } from './episode.ts';
import { systemCodeOf } from '../checkpoints/tensor-file.ts';
import { encodeRecord } from './log-record.ts';
import { readLogged, scanLog, type LoggedEpisode } from './log-scan.ts';

const fsyncAsync = promisify(fsync);

/**
 * Append-only file of finished episodes while a task is being collected. The first record describes the task and has no payload; every
 * other one is an episode. A torn last record (power loss, SIGKILL in mid-write) is cut off when the log is opened again; everything
 * before it stays.
 */
export interface EpisodeLog {
  readonly path: string;
  readonly episodes: readonly LoggedEpisode[];
  /** Written at once (a killed process loses nothing); resolves when the disk has it. */
  append(episode: Episode): Promise<void>;
  /** The bytes of one tensor of a logged episode. */
  read(episode: LoggedEpisode, tensor: StepTensor): Buffer;
  close(): Promise<void>;
}

export interface EpisodeLogOptions {
  readonly sizes: EpisodeSizes;
  /** Text that the first record must equal in the caller's eyes. */
  readonly head: string;
  /** Why the head found in an existing log does not allow adding to it; undefined if it does. */
  readonly refusal: (found: string) => Error | undefined;
}

/**
 * Opens the log of finished episodes, creating it if there is none.
 * @throws the refusal if it belongs to other data; L2mError L2M_STORE_UNWRITABLE if it cannot be written
 */
export function openEpisodeLog(path: string, options: EpisodeLogOptions): EpisodeLog {
  const { sizes } = options;
  const descriptor = writable(path, () => {
    mkdirSync(dirname(path), { recursive: true });
    // 'a+' would ignore positions; create without truncating instead.
    closeSync(openSync(path, 'a'));
    return openSync(path, 'r+');
  });
  const { head, episodes, end: wholeBytes } = scanLog(descriptor);
  let end = wholeBytes;
  const refused = head === undefined ? undefined : options.refusal(head);
  if (refused !== undefined) {
    closeSync(descriptor);
    throw refused;
  }

  const write = (json: string, payload: readonly Uint8Array[]): number => {
    const { bytes, payloadBegin } = encodeRecord(json, payload);
    writable(path, () => {
      writeFully(descriptor, bytes, end);
    });
    const begin = end + payloadBegin;
    end += bytes.byteLength;
    return begin;
  };

  writable(path, () => {
    ftruncateSync(descriptor, end);
  });
  if (end === 0) write(options.head, []);

  // One sync serves every append that was written before it began.
  let running: Promise<void> | undefined;
  let waiting: Promise<void> | undefined;
  const sync = (): Promise<void> => {
    if (running === undefined) {
      running = fsyncAsync(descriptor).finally(() => (running = undefined));
      return running;
    }
    waiting ??= running
      .catch(() => undefined)
      .then(() => {
        waiting = undefined;
        return sync();
      });
    return waiting;
  };

  return {
    path,
    episodes,
    append: (episode) => {
      const steps = episode.rewards.length;
      const { start, noise } = episode;
      const begin = write(
        JSON.stringify({ start, noise, steps }),
        STEP_TENSORS.map((name) => bytesOf(episode[name])),
      );
      episodes.push({ start, noise, steps, begin });
      return sync();
    },
    read: (episode, tensor) => readLogged(descriptor, { episode, tensor, sizes }),
    close: async () => {
      await running?.catch(() => undefined);
      await waiting?.catch(() => undefined);
      closeSync(descriptor);
    },
  };
}

function writeFully(descriptor: number, bytes: Buffer, position: number): void {
  for (let written = 0; written < bytes.byteLength;) {
    written += writeSync(descriptor, bytes, written, bytes.byteLength - written, position + written);
  }
}

function bytesOf(array: Float32Array | Uint8Array): Uint8Array {
  return new Uint8Array(array.buffer, array.byteOffset, array.byteLength);
}

function writable<Value>(path: string, attempt: () => Value): Value {
  try {
    return attempt();
  } catch (cause) {
    throw new L2mError('L2M_STORE_UNWRITABLE', `${path} (${systemCodeOf(cause)})`, { cause });
  }
}
