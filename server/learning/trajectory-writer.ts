import { access, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { domainOf, taskName, type TaskId, type TaskSpec } from '../../protocol/task.ts';
import { L2mError } from '../errors.ts';
import { episodeProblem, type Episode, type StepTensor } from './episode.ts';
import { openEpisodeLog, type EpisodeLog } from './episode-log.ts';
import { openDataFile, systemCodeOf, type DataFile } from '../checkpoints/tensor-file.ts';
import { readEpisode, storedInFile, type StoredEpisode } from './stored-episode.ts';
import { checkedHead, differingIdentity, goOnHint, sizesOf } from './trajectory-format.ts';
import type { Provenance, TrajectoryHead } from './trajectory-format.ts';
import { writeTrajectoryFile, type FinishedTrajectories } from './trajectory-output.ts';
import { readTrajectoryIndex, type TrajectoryIndex } from './trajectory-reader.ts';

export interface TrajectoryWriterOptions {
  /** Root of all trajectories; the file becomes `<folder>/<domain>/<task>/<source>.safetensors`. */
  readonly folder: string;
  readonly task: TaskId;
  /** Who acts: `expert`, or the name of a checkpoint. */
  readonly source: string;
  readonly spec: TaskSpec;
  readonly provenance: Provenance;
  /** Forget what this source collected for the task before, finished file included. Default false: add to it. */
  readonly overwriteSource?: boolean;
}

export interface TrajectoryWriter {
  readonly path: string;
  /** Start indices of every episode that is safely kept, of earlier runs too. */
  finishedStarts(): Set<number>;
  /** Whether the episode is kept already; one start may be kept at several noise levels. */
  hasEpisode(start: number, noise: number): boolean;
  /** Reads back every kept episode, ordered by start and noise; do not append meanwhile. */
  kept(): AsyncGenerator<Episode>;
  /**
   * Keeps a finished episode. It survives a killed process as soon as this returns, a power loss as soon as the promise resolves.
   * An episode that is kept already is ignored.
   * @throws L2mError (rejects) L2M_DATA_INVALID for wrong shapes, L2M_STORE_UNWRITABLE for a full disk
   */
  append(episode: Episode): Promise<void>;
  /** Writes the trajectory file from all kept episodes, ordered by start and noise, and removes the log. */
  finish(): Promise<FinishedTrajectories>;
  /** Leaves the log for a later run. */
  close(): Promise<void>;
}

/** Where a task's trajectories of one source lie. */
export function trajectoryPath(folder: string, task: TaskId, source: string): string {
  return join(folder, domainOf(task), taskName(task), `${source}.safetensors`);
}

/**
 * Opens one task's trajectories for adding episodes, after a crash or a finished collection alike.
 * @throws L2mError L2M_DATA_INVALID if what exists was collected under another identity (seed, protocol, policy)
 */
export async function openTrajectoryWriter(options: TrajectoryWriterOptions): Promise<TrajectoryWriter> {
  const { task, source, spec, provenance } = options;
  const head = checkedHead({ task, source, spec, provenance });
  if (typeof head === 'string') throw unusable(`${task} of ${source}`, head);
  const path = trajectoryPath(options.folder, task, source);
  const logPath = `${path}.part`;
  if (options.overwriteSource === true) await Promise.all([path, logPath].map((each) => rm(each, { force: true })));

  const finished = await readFinished(path, head);
  const log = openEpisodeLog(logPath, {
    sizes: sizesOf(spec),
    head: JSON.stringify(head),
    refusal: (found) => {
      const other = checkedHead(JSON.parse(found));
      return typeof other === 'string' ? unusable(logPath, other) : refusal(logPath, head, other);
    },
  });
  return trajectoryWriter({ path, head, log, finished });
}

interface WriterParts {
  readonly path: string;
  readonly head: TrajectoryHead;
  readonly log: EpisodeLog;
  /** What an earlier collection finished. */
  readonly finished: TrajectoryIndex | undefined;
}

function trajectoryWriter(parts: WriterParts): TrajectoryWriter {
  const { path, head, log, finished } = parts;
  const sizes = sizesOf(head.spec);
  const kept = new Set<string>();
  for (let i = 0; i < (finished?.episodeCount ?? 0); i++) {
    kept.add(keyOf(finished?.starts[i] ?? 0, finished?.noises[i] ?? 0));
  }
  for (const { start, noise } of log.episodes) kept.add(keyOf(start, noise));

  return {
    path,
    finishedStarts: () => new Set([...kept].map((key) => Number.parseInt(key, 10))),
    hasEpisode: (start, noise) => kept.has(keyOf(start, noise)),
    kept: () => readKept(parts),
    append: async (episode) => {
      const problem = episodeProblem(episode, sizes);
      if (problem !== undefined) throw unusable(path, problem);
      const key = keyOf(episode.start, episode.noise);
      if (kept.has(key)) return;
      const durable = log.append(episode);
      kept.add(key);
      await durable;
    },
    finish: async () => {
      const result = await writeFinal(parts);
      await log.close();
      await rm(log.path, { force: true });
      return result;
    },
    close: () => log.close(),
  };
}

/** Noise is kept as float32, so 0.1 from a file equals 0.1 from a caller. */
function keyOf(start: number, noise: number): string {
  return `${start} ${Math.fround(noise)}`;
}

async function readFinished(path: string, head: TrajectoryHead): Promise<TrajectoryIndex | undefined> {
  try {
    await access(path);
  } catch (cause) {
    if (systemCodeOf(cause) === 'ENOENT') return undefined;
    throw new L2mError('L2M_DATA_INVALID', `${path} cannot be opened (${systemCodeOf(cause)})`, { cause });
  }
  const index = await readTrajectoryIndex(path);
  const refused = refusal(path, head, index.head);
  if (refused !== undefined) throw refused;
  return index;
}

function refusal(path: string, wanted: TrajectoryHead, found: TrajectoryHead): L2mError | undefined {
  const differing = differingIdentity(wanted, found);
  if (differing.length === 0) return undefined;
  return new L2mError('L2M_DATA_INVALID', `${path} holds other episodes (${differing.join(', ')} differ)`, {
    hint: goOnHint(found),
  });
}

/** All kept episodes, of the finished file and of the log, ordered by start and noise. */
function storedEpisodes({ log, finished }: WriterParts, old: DataFile | undefined): StoredEpisode[] {
  const stored = new Map<string, StoredEpisode>();
  // A crash between rename and removal of the log leaves episodes in both; the map keeps one.
  for (const episode of log.episodes) {
    const read = (tensor: StepTensor) => Promise.resolve(log.read(episode, tensor));
    stored.set(keyOf(episode.start, episode.noise), { ...episode, read });
  }
  if (old !== undefined && finished !== undefined) {
    for (const episode of storedInFile(old, finished)) stored.set(keyOf(episode.start, episode.noise), episode);
  }
  return [...stored.values()].sort((a, b) => a.start - b.start || a.noise - b.noise);
}

async function* readKept(parts: WriterParts): AsyncGenerator<Episode> {
  const old = parts.finished === undefined ? undefined : await openDataFile(parts.path, 'L2M_DATA_INVALID');
  try {
    for (const stored of storedEpisodes(parts, old)) yield await readEpisode(stored);
  } finally {
    await old?.handle.close();
  }
}

async function writeFinal(parts: WriterParts): Promise<FinishedTrajectories> {
  const { path, head, finished } = parts;
  const old = finished === undefined ? undefined : await openDataFile(path, 'L2M_DATA_INVALID');
  try {
    const episodes = storedEpisodes(parts, old);
    if (episodes.length === 0) throw unusable(path, 'no finished episode to write');
    return await writeTrajectoryFile(path, head, episodes);
  } finally {
    await old?.handle.close();
  }
}

function unusable(what: string, got: string): L2mError {
  return new L2mError('L2M_DATA_INVALID', `${what}: ${got}`);
}
