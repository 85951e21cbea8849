import { createHash } from 'node:crypto';
import { mkdir, open, rename, rm, type FileHandle } from 'node:fs/promises';
import { dirname } from 'node:path';
import { encodeTensorFileHeader, systemCodeOf, type TensorFileEntry } from '../checkpoints/tensor-file.ts';
import { L2mError } from '../errors.ts';
import type { StepTensor } from './episode.ts';
import type { StoredEpisode } from './stored-episode.ts';
import { metadataFromHead, sizesOf, type TrajectoryHead } from './trajectory-format.ts';

export interface FinishedTrajectories {
  readonly path: string;
  readonly episodes: number;
  readonly transitions: number;
  /** Sha-256 over all tensor bytes; equal data give an equal hash in whatever order the episodes finished. */
  readonly hash: string;
}

/**
 * Writes a whole trajectory file, one tensor after the other, so that memory holds one episode at a time. The file appears under its
 * name only when every byte is on the disk.
 * @throws L2mError L2M_STORE_UNWRITABLE
 */
export async function writeTrajectoryFile(
  path: string,
  head: TrajectoryHead,
  episodes: readonly StoredEpisode[],
): Promise<FinishedTrajectories> {
  const { observationSize, actionSize } = sizesOf(head.spec);
  const offsets = new Int32Array(episodes.length + 1);
  episodes.forEach(({ steps }, i) => (offsets[i + 1] = (offsets[i] ?? 0) + steps));
  const transitions = offsets.at(-1) ?? 0;
  const entries = new Map<string, TensorFileEntry>([
    ['observations', { dtype: 'F32', shape: [transitions, observationSize] }],
    ['actions', { dtype: 'F32', shape: [transitions, actionSize] }],
    ['targets', { dtype: 'F32', shape: [transitions, actionSize] }],
    ['rewards', { dtype: 'F32', shape: [transitions] }],
    ['episode_offsets', { dtype: 'I32', shape: [episodes.length + 1] }],
    ['starts', { dtype: 'I32', shape: [episodes.length] }],
    ['noises', { dtype: 'F32', shape: [episodes.length] }],
    ['successes', { dtype: 'U8', shape: [transitions] }],
  ]);
  const small: Record<string, Uint8Array> = {
    episode_offsets: new Uint8Array(offsets.buffer),
    starts: new Uint8Array(Int32Array.from(episodes, ({ start }) => start).buffer),
    noises: new Uint8Array(Float32Array.from(episodes, ({ noise }) => noise).buffer),
  };
  const headerWith = (hash: string) =>
    encodeTensorFileHeader(entries, { ...metadataFromHead(head), content_sha256: hash });

  const temporary = `${path}.tmp-${process.pid}`;
  await mkdir(dirname(path), { recursive: true });
  try {
    const handle = await open(temporary, 'w');
    try {
      // The hash is known only when all is written; a text of equal length holds its place.
      await writeAll(handle, headerWith('0'.repeat(64)));
      const hash = createHash('sha256');
      for (const name of entries.keys()) {
        for await (const bytes of tensorBytes(name, episodes, small)) {
          hash.update(bytes);
          await writeAll(handle, bytes);
        }
      }
      const digest = hash.digest('hex');
      await handle.write(headerWith(digest), 0, null, 0);
      await handle.sync();
      await handle.close();
      await rename(temporary, path);
      return { path, episodes: episodes.length, transitions, hash: digest };
    } finally {
      await handle.close().catch(() => undefined);
    }
  } catch (cause) {
    await rm(temporary, { force: true });
    if (cause instanceof L2mError) throw cause;
    throw new L2mError('L2M_STORE_UNWRITABLE', `${path} (${systemCodeOf(cause)})`, { cause });
  }
}

async function writeAll(handle: FileHandle, bytes: Uint8Array): Promise<void> {
  for (let written = 0; written < bytes.byteLength;) {
    written += (await handle.write(bytes, written)).bytesWritten;
  }
}

async function* tensorBytes(
  name: string,
  episodes: readonly StoredEpisode[],
  small: Readonly<Record<string, Uint8Array>>,
): AsyncGenerator<Uint8Array> {
  const whole = small[name];
  if (whole !== undefined) yield whole;
  else for (const episode of episodes) yield await episode.read(name as StepTensor);
}
