import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { ModelConfig, PolicyOptions } from '../../agent/config.ts';
import { domainOf, taskName, type Domain, type TaskId } from '../../protocol/task.ts';
import type { DataSource } from '../checkpoints/manifest.ts';
import { L2mError, unknownNameError } from '../errors.ts';
import { highestReturn, learningTask, type LearningTask } from './learning-task.ts';
import { standardisationTable } from './standardisation.ts';
import { readTrajectories } from './trajectory-reader.ts';

export interface TrainingData {
  readonly tasks: readonly LearningTask[];
  readonly standardise: PolicyOptions['standardise'];
  /** Highest return of an episode in the data, unscaled, by task (spec §6.5). */
  readonly targetReturns: Record<TaskId, number>;
  readonly sources: readonly DataSource[];
  readonly episodes: number;
  readonly transitions: number;
}

export interface TrainingDataOptions {
  readonly files: readonly string[];
  readonly model: ModelConfig;
  readonly heldOutShare: number;
  readonly standardise: boolean;
}

/**
 * Reads trajectory files and all that is derived from them.
 * @throws L2mError L2M_DATA_INVALID for a file that is damaged or does not fit the model
 */
export async function loadTrainingData(options: TrainingDataOptions): Promise<TrainingData> {
  const tasks: LearningTask[] = [];
  for (const file of options.files) tasks.push(learningTask(await readTrajectories(file), options));
  const domains: readonly Domain[] = ['metaworld', 'dmcontrol'];
  const tables = domains
    .map((domain) => [domain, tasks.filter((task) => task.domain === domain)] as const)
    .filter(([, members]) => members.length > 0)
    .map(([domain, members]) => [domain, standardisationTable(members, options.model.stateSize)] as const);
  const targetReturns: Record<string, number> = {};
  for (const member of tasks) {
    const { task } = member.trajectories.head;
    targetReturns[task] = Math.max(targetReturns[task] ?? -Infinity, highestReturn(member));
  }
  return {
    tasks,
    standardise: options.standardise ? Object.fromEntries(tables) : undefined,
    targetReturns,
    sources: tasks.map(sourceOf),
    episodes: tasks.reduce((sum, { trajectories }) => sum + trajectories.episodeCount, 0),
    transitions: tasks.reduce((sum, { trajectories }) => sum + trajectories.transitionCount, 0),
  };
}

function sourceOf({ trajectories }: LearningTask): DataSource {
  const { head, contentHash, episodeCount, transitionCount } = trajectories;
  return {
    task: head.task,
    source: head.source,
    contentHash,
    episodes: episodeCount,
    transitions: transitionCount,
    identity: head.provenance.identity,
  };
}

/**
 * The trajectory files of some tasks, of one source, of several or of all.
 * @param folder root of all trajectories
 * @param source names, separated by commas; absent: whatever there is
 * @throws L2mError L2M_DATA_INVALID for a task without any, with a suggestion for a misspelt source
 */
export async function findTrajectoryFiles(
  folder: string,
  tasks: readonly TaskId[],
  source?: string,
): Promise<string[]> {
  const found: string[] = [];
  for (const task of tasks) {
    const place = join(folder, domainOf(task), taskName(task));
    const names = await readdir(place).catch(() => []);
    const sources = names.filter((name) => name.endsWith('.safetensors')).map((name) => name.slice(0, -12));
    const wanted = source === undefined ? sources : source.split(',');
    const missing = wanted.find((name) => !sources.includes(name));
    if (missing !== undefined && sources.length > 0) {
      throw unknownNameError(
        'L2M_DATA_INVALID',
        `${task} of ${missing}`,
        sources.map((name) => `${task} of ${name}`),
      );
    }
    if (sources.length === 0) throw new L2mError('L2M_DATA_INVALID', `${place} holds no trajectories of ${task}`);
    found.push(...[...wanted].sort().map((name) => join(place, `${name}.safetensors`)));
  }
  return found;
}
