import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { domainOf, taskName, type Domain, type TaskId } from '../../protocol/task.ts';
import { L2mError, unknownNameError } from '../errors.ts';

/** Trajectories of one task and one source, finished, being collected, or both. */
export interface DataSetPlace {
  readonly task: TaskId;
  readonly source: string;
  /** The finished file. */
  readonly file: string | undefined;
  /** The log of episodes that are not in a finished file yet. */
  readonly log: string | undefined;
}

export interface DataSetChoice {
  /** Absent: all. */
  readonly tasks?: readonly TaskId[];
  /** Absent: all. */
  readonly source?: string;
}

const FILE = '.safetensors';
const LOG = '.safetensors.part';
const DOMAINS: readonly Domain[] = ['metaworld', 'dmcontrol'];

/**
 * What lies below a folder of trajectories (`<folder>/<domain>/<task>/<source>.safetensors`), ordered by task and source.
 * @throws L2mError L2M_DATA_INVALID if nothing chosen is there, with the nearest name for a misspelt source
 */
export async function findDataSets(folder: string, choice: DataSetChoice = {}): Promise<DataSetPlace[]> {
  const tasks = await tasksIn(folder);
  const all: DataSetPlace[] = [];
  for (const task of tasks) {
    if (choice.tasks === undefined || choice.tasks.includes(task)) all.push(...(await sourcesOf(folder, task)));
  }
  const chosen = choice.source === undefined ? all : all.filter(({ source }) => source === choice.source);
  if (chosen.length > 0) return chosen;
  if (choice.source !== undefined && all.length > 0) {
    throw unknownNameError('L2M_DATA_INVALID', choice.source, [...new Set(all.map(({ source }) => source))]);
  }
  const what = choice.tasks === undefined ? 'no trajectories' : `no trajectories of ${choice.tasks.join(', ')}`;
  throw new L2mError('L2M_DATA_INVALID', `${folder} holds ${what}`, {
    hint: 'Collect some with `npx l2m collect`, or name another directory with --data.',
  });
}

async function tasksIn(folder: string): Promise<TaskId[]> {
  const found = await Promise.all(
    DOMAINS.map(async (domain) => (await names(join(folder, domain))).sort().map((name) => `${domain}/${name}`)),
  );
  return found.flat();
}

async function sourcesOf(folder: string, task: TaskId): Promise<DataSetPlace[]> {
  const place = join(folder, domainOf(task), taskName(task));
  const files = new Set(await names(place));
  const sources = new Set(
    [...files].flatMap((name) => [FILE, LOG].filter((end) => name.endsWith(end)).map((end) => name.slice(0, -end.length))),
  );
  const pathOf = (name: string) => (files.has(name) ? join(place, name) : undefined);
  return [...sources]
    .sort()
    .map((source) => ({ task, source, file: pathOf(source + FILE), log: pathOf(source + LOG) }));
}

async function names(folder: string): Promise<string[]> {
  return readdir(folder).catch(() => []);
}
