import { readdir, readFile, rm, rmdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { RECORDING_ENDING, RECORDING_ID_PATTERN, type RecordingHeader } from '../../protocol/recording.ts';
import type { TaskId } from '../../protocol/task.ts';
import { L2mError } from '../errors.ts';
import { makeDirectory } from '../store/make-directory.ts';
import { RUN_ID_PATTERN } from '../store/run-id.ts';
import { readHeaderOf, writeWhole } from './recording-file.ts';

const RUN = new RegExp(RUN_ID_PATTERN);
const EPISODE = new RegExp(RECORDING_ID_PATTERN);
/** Pruning goes a little below the limit, so that it need not be done for every episode. */
const PRUNE_TO = 0.97;

interface Entry {
  readonly bytes: number;
  readonly changedMs: number;
  header: RecordingHeader | undefined;
}

export interface RecordingPage {
  readonly total: number;
  /** Of all recordings of the run. */
  readonly bytes: number;
  readonly recordings: readonly (Omit<RecordingHeader, 'sections'> & { readonly bytes: number })[];
}

/**
 * The files `<directory>/<run>/<episode>.l2mrec`. The folder is the truth: what is removed by hand is gone, and a server
 * that was killed leaves at most a temporary file, which the next one removes.
 */
export class RecordingLibrary {
  readonly #directory: string;
  readonly #limitBytes: number;
  readonly #runs = new Map<string, Map<string, Entry>>();
  #bytes = 0;

  private constructor(directory: string, limitBytes: number) {
    this.#directory = directory;
    this.#limitBytes = limitBytes;
  }

  /** Looks through what is there; a directory that is not there is made with the first recording. */
  static async open(directory: string, limitBytes: number): Promise<RecordingLibrary> {
    const library = new RecordingLibrary(directory, limitBytes);
    for (const run of await namesIn(directory)) {
      if (!RUN.test(run)) continue;
      for (const name of await namesIn(join(directory, run))) await library.#found(run, name);
    }
    return library;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** Newest first. */
  async list(
    run: string,
    page: { readonly limit: number; readonly offset: number; readonly task?: TaskId },
  ): Promise<RecordingPage> {
    const prefix = page.task === undefined ? '' : `${page.task.replace('/', '.')}.`;
    const all = [...(this.#runs.get(run) ?? [])];
    const chosen = all
      .filter(([episode]) => episode.startsWith(prefix))
      .sort(([a, { changedMs: aMs }], [b, { changedMs: bMs }]) => bMs - aMs || a.localeCompare(b));
    const recordings = await Promise.all(
      chosen.slice(page.offset, page.offset + page.limit).map(async ([episode, entry]) => {
        const header = await this.#headerOf(run, episode, entry);
        if (header === undefined) return [];
        const { sections: _, ...facts } = header;
        return [{ ...facts, bytes: entry.bytes }];
      }),
    );
    const bytes = all.reduce((sum, [, entry]) => sum + entry.bytes, 0);
    return { total: chosen.length, bytes, recordings: recordings.flat() };
  }

  /** @throws L2M_RECORDING_UNKNOWN */
  async read(run: string, episode: string): Promise<Buffer> {
    this.#require(run, episode);
    return readRecording(this.#directory, run, episode);
  }

  /** Changes whenever the file does. @throws L2M_RECORDING_UNKNOWN */
  tag(run: string, episode: string): string {
    const { bytes, changedMs } = this.#require(run, episode);
    return `${bytes.toString(36)}-${Math.round(changedMs * 1000).toString(36)}`;
  }

  /**
   * Takes a file in; the oldest recordings of runs that are over make room for it.
   * @returns false if there is no room although all of those are gone
   * @throws the system's error if it cannot be written
   */
  async add(
    recording: { readonly run: string; readonly episode: string; readonly bytes: Uint8Array },
    live: ReadonlySet<string>,
  ): Promise<boolean> {
    const { run, episode, bytes } = recording;
    if (this.#bytes + bytes.byteLength > this.#limitBytes) {
      await this.#prune(this.#limitBytes * PRUNE_TO - bytes.byteLength, live);
      if (this.#bytes + bytes.byteLength > this.#limitBytes) return false;
    }
    await makeDirectory(join(this.#directory, run));
    await writeWhole(pathOf(this.#directory, run, episode), bytes);
    await this.#found(run, `${episode}${RECORDING_ENDING}`);
    return true;
  }

  /** @throws L2M_RECORDING_UNKNOWN */
  async remove(run: string, episode: string): Promise<void> {
    this.#require(run, episode);
    await this.#drop(run, episode);
  }

  /** @returns how many there were */
  async removeRun(run: string): Promise<number> {
    const episodes = [...(this.#runs.get(run)?.keys() ?? [])];
    for (const episode of episodes) await this.#drop(run, episode);
    return episodes.length;
  }

  async #prune(target: number, live: ReadonlySet<string>): Promise<void> {
    const candidates = [...this.#runs]
      .filter(([run]) => !live.has(run))
      .flatMap(([run, episodes]) => [...episodes].map(([episode, { changedMs }]) => ({ run, episode, changedMs })))
      .sort((a, b) => a.changedMs - b.changedMs);
    for (const { run, episode } of candidates) {
      if (this.#bytes <= target) return;
      await this.#drop(run, episode);
    }
  }

  async #drop(run: string, episode: string): Promise<void> {
    await rm(pathOf(this.#directory, run, episode), { force: true });
    const episodes = this.#runs.get(run);
    this.#bytes -= episodes?.get(episode)?.bytes ?? 0;
    episodes?.delete(episode);
    if (episodes?.size !== 0) return;
    this.#runs.delete(run);
    // Not empty if a person put something there: then it stays.
    await rmdir(join(this.#directory, run)).catch(() => undefined);
  }

  async #found(run: string, name: string): Promise<void> {
    const path = join(this.#directory, run, name);
    if (name.endsWith(`${RECORDING_ENDING}.part`)) {
      await rm(path, { force: true });
      return;
    }
    const episode = name.slice(0, -RECORDING_ENDING.length);
    if (!name.endsWith(RECORDING_ENDING) || !EPISODE.test(episode)) return;
    const { size, mtimeMs } = await stat(path);
    const episodes = this.#runs.get(run) ?? new Map<string, Entry>();
    this.#runs.set(run, episodes);
    this.#bytes += size - (episodes.get(episode)?.bytes ?? 0);
    episodes.set(episode, { bytes: size, changedMs: mtimeMs, header: undefined });
  }

  async #headerOf(run: string, episode: string, entry: Entry): Promise<RecordingHeader | undefined> {
    if (entry.header !== undefined) return entry.header;
    // A file that was removed or damaged by hand is left out of lists; asking for it by name says what is wrong.
    const file = await readHeaderOf(pathOf(this.#directory, run, episode)).catch(() => undefined);
    if (file?.ok === true) entry.header = file.value.header;
    return entry.header;
  }

  #require(run: string, episode: string): Entry {
    const entry = this.#runs.get(run)?.get(episode);
    if (entry === undefined) throw new L2mError('L2M_RECORDING_UNKNOWN', `${run}/${episode}`);
    return entry;
  }
}

/** Also without a library, beside a running server. @throws L2M_RECORDING_UNKNOWN */
export async function readRecording(directory: string, run: string, episode: string): Promise<Buffer> {
  try {
    if (!RUN.test(run) || !EPISODE.test(episode)) throw new Error('no such name');
    return await readFile(pathOf(directory, run, episode));
  } catch (cause) {
    throw new L2mError('L2M_RECORDING_UNKNOWN', `${run}/${episode}`, { cause });
  }
}

function pathOf(directory: string, run: string, episode: string): string {
  return join(directory, run, `${episode}${RECORDING_ENDING}`);
}

async function namesIn(directory: string): Promise<string[]> {
  return readdir(directory).catch(() => []);
}
