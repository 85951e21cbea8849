import { closeSync, fstatSync, fsync, ftruncateSync, mkdirSync, openSync, readSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';
import { promisify } from 'node:util';
import { crc32 } from 'node:zlib';
import { L2mError } from '../errors.ts';
import { STEP_TENSORS, rowBytes, type Episode, type EpisodeSizes, type StepTensor } from './episode.ts';
import { invalidFile, systemCodeOf } from '../checkpoints/tensor-file.ts';

/**
 * Append-only file of finished episodes while a task is being collected. A record is
 * `magic u32, json bytes u32, payload bytes u32, crc32 of json and payload u32, json, payload`, little-endian. The first record
 * describes the task and has no payload; every other one is an episode. A torn last record (power loss, SIGKILL in mid-write) is cut off
 * when the log is opened again; everything before it stays.
 */
const MAGIC = 0x4c4d324c;
const RECORD_HEAD_BYTES = 16;
const JSON_LIMIT_BYTES = 1024 * 1024;
const PAYLOAD_LIMIT_BYTES = 1024 * 1024 * 1024;

const fsyncAsync = promisify(fsync);

export interface LoggedEpisode {
  readonly start: number;
  readonly noise: number;
  readonly steps: number;
  /** Position of the payload in the log: the step tensors one after the other. */
  readonly begin: number;
}

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
  /** Decides whether the head found in an existing log allows adding to it. */
  readonly accepts: (found: string) => boolean;
}

/**
 * Opens the log of finished episodes, creating it if there is none.
 * @throws L2mError L2M_DATA_INVALID if it belongs to other data; L2M_STORE_UNWRITABLE if it cannot be written
 */
export function openEpisodeLog(path: string, options: EpisodeLogOptions): EpisodeLog {
  const { sizes } = options;
  const descriptor = writable(path, () => {
    mkdirSync(dirname(path), { recursive: true });
    // 'a+' would ignore positions; create without truncating instead.
    closeSync(openSync(path, 'a'));
    return openSync(path, 'r+');
  });
  const episodes: LoggedEpisode[] = [];
  let end = 0;

  const size = fstatSync(descriptor).size;
  for (let record = nextRecord(descriptor, 0, size); record !== undefined; record = nextRecord(descriptor, end, size)) {
    if (end === 0) {
      if (!options.accepts(record.json)) {
        closeSync(descriptor);
        throw invalidFile(
          { path, code: 'L2M_DATA_INVALID' },
          'it holds unfinished episodes of another task, seed, protocol or policy',
        );
      }
    } else {
      const { start, noise, steps } = JSON.parse(record.json) as LoggedEpisode;
      episodes.push({ start, noise, steps, begin: record.payloadBegin });
    }
    end = record.end;
  }

  const write = (json: string, payload: readonly Uint8Array[]): number => {
    const text = Buffer.from(json);
    const payloadBytes = payload.reduce((sum, part) => sum + part.byteLength, 0);
    const head = Buffer.alloc(RECORD_HEAD_BYTES);
    head.writeUInt32LE(MAGIC, 0);
    head.writeUInt32LE(text.byteLength, 4);
    head.writeUInt32LE(payloadBytes, 8);
    head.writeUInt32LE(
      payload.reduce((sum, part) => crc32(part, sum), crc32(text)),
      12,
    );
    const bytes = Buffer.concat([head, text, ...payload]);
    writable(path, () => {
      writeFully(descriptor, bytes, end);
    });
    const payloadBegin = end + RECORD_HEAD_BYTES + text.byteLength;
    end += bytes.byteLength;
    return payloadBegin;
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
    read: (episode, tensor) => {
      const bytes = Buffer.alloc(episode.steps * rowBytes(tensor, sizes));
      const earlier = STEP_TENSORS.slice(0, STEP_TENSORS.indexOf(tensor));
      const offset = earlier.reduce((sum, name) => sum + episode.steps * rowBytes(name, sizes), 0);
      readSync(descriptor, bytes, 0, bytes.byteLength, episode.begin + offset);
      return bytes;
    },
    close: async () => {
      await running?.catch(() => undefined);
      await waiting?.catch(() => undefined);
      closeSync(descriptor);
    },
  };
}

interface LogRecord {
  readonly json: string;
  readonly payloadBegin: number;
  readonly end: number;
}

/** The whole record at a position, or undefined where the log ends or is torn. */
function nextRecord(descriptor: number, position: number, size: number): LogRecord | undefined {
  const head = Buffer.alloc(RECORD_HEAD_BYTES);
  if (readSync(descriptor, head, 0, RECORD_HEAD_BYTES, position) < RECORD_HEAD_BYTES) return undefined;
  const jsonBytes = head.readUInt32LE(4);
  const payloadBytes = head.readUInt32LE(8);
  const end = position + RECORD_HEAD_BYTES + jsonBytes + payloadBytes;
  if (head.readUInt32LE(0) !== MAGIC || jsonBytes > JSON_LIMIT_BYTES || payloadBytes > PAYLOAD_LIMIT_BYTES)
    return undefined;
  if (end > size) return undefined;
  const body = Buffer.alloc(jsonBytes + payloadBytes);
  readSync(descriptor, body, 0, body.byteLength, position + RECORD_HEAD_BYTES);
  if (crc32(body) !== head.readUInt32LE(12)) return undefined;
  return {
    json: body.toString('utf8', 0, jsonBytes),
    payloadBegin: position + RECORD_HEAD_BYTES + jsonBytes,
    end,
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
