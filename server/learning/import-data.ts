import { existsSync } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { domainOf, type TaskId } from '../../protocol/task.ts';
import { openZip } from '../checkpoints/zip-archive.ts';
import { systemCodeOf } from '../checkpoints/tensor-file.ts';
import { L2mError } from '../errors.ts';
import { episodeProblem, rowBytes, type Episode } from './episode.ts';
import { readReferenceArrays, type ReferenceArrays } from './reference-arrays.ts';
import { specOfTask, taskOfFileName } from './reference-task.ts';
import { checkedHead, sizesOf, type Provenance } from './trajectory-format.ts';
import type { StoredEpisode } from './stored-episode.ts';
import { writeTrajectoryFile } from './trajectory-output.ts';
import { trajectoryPath } from './trajectory-writer.ts';

/** Shorter episodes are left out: they do not fill one window (spec §7.2). */
const SHORTEST_EPISODE = 5;

export interface ImportDataOptions {
  /** Root of all trajectories. */
  readonly folder: string;
  /** Absent: the file's or folder's name says it. */
  readonly task?: TaskId | undefined;
  readonly source: string;
  readonly overwrite: boolean;
  readonly notes: Provenance['notes'];
  onProgress?(what: string): void;
}

/** What became of one task's data. */
export interface DataReport {
  readonly task: TaskId;
  readonly path: string;
  readonly episodes: number;
  readonly transitions: number;
  readonly sha256: string;
  readonly shortEpisodes: number;
  /** Steps after the last finished episode. */
  readonly unfinishedSteps: number;
  readonly clippedActions: number;
  /** Arrays taken over, and arrays of the file that learning does not need. */
  readonly used: readonly string[];
  readonly skipped: readonly string[];
  /** What the reference's files do not hold and how it is filled. */
  readonly missing: readonly string[];
}

/**
 * Imports the reference's data (spec §7.1): a replay buffer in one .npz file, a folder of such files (one a task), or a folder of
 * .npz files with one episode each. Observations come back in the simulator's own order; what was done is also what should have been done.
 *
 * @throws L2mError L2M_DATA_INVALID, L2M_TASK_UNKNOWN, L2M_TASK_UNSUPPORTED, L2M_STORE_UNWRITABLE
 */
export async function importData(from: string, options: ImportDataOptions): Promise<DataReport[]> {
  const files = await filesOf(from);
  const first = files[0] ?? '';
  const isFolder = files.length > 1 || first !== from;
  if (isFolder && (await isEpisode(first))) {
    return [await importTask(files, options.task ?? taskOfFileName(basename(from)), options)];
  }
  if (options.task !== undefined && files.length > 1) {
    throw new L2mError('L2M_CONFIG_INVALID', `one task for ${files.length} files of one task each`, {
      hint: 'Leave --task out, or import one file.',
    });
  }
  // All names are checked before the first of many large files is read.
  const tasks = files.map((file) => options.task ?? taskOfFileName(stemOf(file)));
  const reports: DataReport[] = [];
  for (const [i, file] of files.entries()) reports.push(await importTask([file], tasks[i] ?? '', options));
  return reports;
}

async function filesOf(from: string): Promise<string[]> {
  try {
    if (!(await stat(from)).isDirectory()) return [checkedFile(from)];
    const names = (await readdir(from)).filter((name) => name.endsWith('.npz')).sort();
    if (names.length > 0) return names.map((name) => join(from, name));
  } catch (cause) {
    if (cause instanceof L2mError) throw cause;
    throw new L2mError('L2M_DATA_INVALID', `${from} cannot be opened (${systemCodeOf(cause)})`, { cause, hint: WHAT });
  }
  throw new L2mError('L2M_DATA_INVALID', `${from} holds no .npz files`, { hint: WHAT });
}

const WHAT = 'Give an .npz file of the reference’s data sets, or a folder of them.';

function checkedFile(file: string): string {
  if (!file.endsWith('.pkl')) return file;
  throw new L2mError('L2M_DATA_INVALID', `${file} is a Python pickle, which would have to be executed`, { hint: WHAT });
}

function stemOf(file: string): string {
  return basename(file).replace(/\.npz$/, '');
}

async function isEpisode(file: string): Promise<boolean> {
  const archive = await openZip({ from: file, where: file, code: 'L2M_DATA_INVALID' });
  archive.close();
  return archive.names.includes('states.npy') && !archive.names.includes('observations.npy');
}

async function importTask(files: readonly string[], task: TaskId, options: ImportDataOptions): Promise<DataReport> {
  const { folder, source, notes } = options;
  const spec = specOfTask(task);
  const head = checkedHead({ task, source, spec, provenance: { identity: { policy: 'reference data' }, notes } });
  if (typeof head === 'string') throw new L2mError('L2M_DATA_INVALID', `${task} of ${source}: ${head}`);
  const path = trajectoryPath(folder, task, source);
  if (!options.overwrite && existsSync(path)) {
    throw new L2mError('L2M_STORE_UNWRITABLE', `${path} exists already`, {
      hint: 'Choose another --source, or say --overwrite.',
    });
  }
  const counts = { shortEpisodes: 0, unfinishedSteps: 0, clippedActions: 0 };
  const episodes: StoredEpisode[] = [];
  let last: ReferenceArrays | undefined;
  for (const file of files) {
    options.onProgress?.(`reading ${file}`);
    last = await arraysOf(file, head.spec);
    counts.clippedActions += last.clippedActions;
    const { spans, unfinished } = episodeSpans(last);
    counts.unfinishedSteps += unfinished;
    for (const [begin, end] of spans) {
      if (end - begin < SHORTEST_EPISODE) counts.shortEpisodes++;
      else episodes.push(storedEpisode(last, { begin, end, start: episodes.length, file, spec }));
    }
  }
  if (episodes.length === 0) throw new L2mError('L2M_DATA_INVALID', `${files.join(', ')}: no finished episode`);
  const written = await writeTrajectoryFile(path, head, episodes);
  return {
    task,
    path,
    episodes: written.episodes,
    transitions: written.transitions,
    sha256: written.hash,
    ...counts,
    used: last?.used ?? [],
    skipped: last?.skipped ?? [],
    missing: missingOf(task),
  };
}

function missingOf(task: TaskId): string[] {
  const common = ['targets (the executed actions are used)', 'successes (none are marked)'];
  if (domainOf(task) === 'dmcontrol') return common;
  return [...common, 'rewards of version 3 of the task (those of the file, version 2, are used)'];
}

async function arraysOf(file: string, spec: Parameters<typeof readReferenceArrays>[1]): Promise<ReferenceArrays> {
  const archive = await openZip({ from: file, where: file, code: 'L2M_DATA_INVALID' });
  try {
    return await readReferenceArrays(archive, spec);
  } finally {
    archive.close();
  }
}

/** First row and the row after the last of every finished episode; the steps after them belong to an unfinished one (spec §7.2). */
function episodeSpans({ form, dones, rewards }: ReferenceArrays): {
  spans: [begin: number, end: number][];
  unfinished: number;
} {
  if (form === 'episode') return { spans: [[0, rewards.length]], unfinished: 0 };
  const spans: [number, number][] = [];
  let begin = 0;
  dones.forEach((done, row) => {
    if (done === 0) return;
    spans.push([begin, row + 1]);
    begin = row + 1;
  });
  return { spans, unfinished: dones.length - begin };
}

interface Span {
  readonly begin: number;
  readonly end: number;
  readonly start: number;
  readonly file: string;
  readonly spec: Parameters<typeof sizesOf>[0];
}

/** @throws L2mError L2M_DATA_INVALID for numbers that are not finite */
function storedEpisode(arrays: ReferenceArrays, { begin, end, start, file, spec }: Span): StoredEpisode {
  const sizes = sizesOf(spec);
  const steps = end - begin;
  const rows = (array: Float32Array, width: number) => array.subarray(begin * width, end * width);
  const actions = rows(arrays.actions, sizes.actionSize);
  const episode: Episode = {
    start,
    noise: 0,
    observations: rows(arrays.observations, sizes.observationSize),
    actions,
    targets: actions,
    rewards: rows(arrays.rewards, 1),
    successes: new Uint8Array(steps),
  };
  const problem = episodeProblem(episode, sizes);
  if (problem !== undefined) throw new L2mError('L2M_DATA_INVALID', `${file}, episode ${start}: ${problem}`);
  return {
    start,
    noise: 0,
    steps,
    read: (tensor) => {
      const { buffer, byteOffset } = episode[tensor];
      return Promise.resolve(Buffer.from(buffer as ArrayBuffer, byteOffset, steps * rowBytes(tensor, sizes)));
    },
  };
}
