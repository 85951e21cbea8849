import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { domainOf, taskName, type TaskId } from '../../protocol/task.ts';
import type { LiveServer } from '../build-server.ts';
import { openCollection } from '../collecting/collection.ts';
import { L2mError } from '../errors.ts';

export interface CollectOptions {
  readonly trajectories: string;
  readonly source: string;
  readonly episodes: number;
  readonly progress: (finished: number, planned: number) => void;
  readonly signal: AbortSignal;
}

const NOISES = [0, 0.1, 0.3, 0.5];
/** Start states of trainings; evaluations have others. */
const SEED = 1000;

/**
 * Collects episodes of experts for those tasks that have none of this source; the rest is left as it is.
 * @throws L2mError L2M_TASK_UNSUPPORTED for a task without an expert, L2M_SIMULATOR_FAULT if the run failed or was stopped
 */
export async function collectMissing(
  server: LiveServer,
  tasks: readonly TaskId[],
  options: CollectOptions,
): Promise<void> {
  const { trajectories, source, episodes, signal } = options;
  const fileOf = (task: TaskId) => join(trajectories, domainOf(task), taskName(task), `${source}.safetensors`);
  const missing = tasks.filter((task) => !existsSync(fileOf(task)));
  if (missing.length === 0) return;
  const collection = await openCollection(server, {
    ...{ tasks: missing, episodes, firstStart: 0, noises: NOISES, variant: 'scripted', seed: SEED, horizon: null },
    ...{ source, trajectories, overwrite: false },
  });
  const { skip, take } = collection;
  const handle = await server.runs.start(collection.request, { skip, take });
  const onStop = () => server.runs.stop(handle.run);
  signal.addEventListener('abort', onStop);
  const timer = setInterval(() => {
    const { finishedEpisodes, plannedEpisodes } = handle.summary();
    options.progress(finishedEpisodes, plannedEpisodes);
  }, 500);
  try {
    const { state, message } = await handle.over;
    const whole = state === 'finished';
    await (whole ? collection.finish() : collection.close());
    if (whole) return;
    throw new L2mError('L2M_SIMULATOR_FAULT', message === '' ? `${handle.run} is ${state}` : message, {
      hint: 'Give the same command again: what is collected is kept.',
    });
  } finally {
    clearInterval(timer);
    signal.removeEventListener('abort', onStop);
  }
}
