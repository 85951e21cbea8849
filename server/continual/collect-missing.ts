import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { domainOf, taskName, type TaskId } from '../../protocol/task.ts';
import type { LiveServer } from '../build-server.ts';
import { L2mError } from '../errors.ts';
import { openTrajectoryWriter, type TrajectoryWriter } from '../learning/trajectory-writer.ts';
import type { RunRequest } from '../rollouts/run-request.ts';

export interface CollectOptions {
  readonly trajectories: string;
  readonly source: string;
  readonly episodes: number;
  readonly progress: (finished: number, planned: number) => void;
  readonly signal: AbortSignal;
}

const NOISES = [0, 0.1, 0.3, 0.5];
const HORIZON = 200;
/** Start states of trainings; evaluations have others. */
const SEED = 1000;

/**
 * Collects episodes of the scripted experts for those tasks that have none of this source; the rest is left as it is.
 * @throws L2mError L2M_TASK_UNSUPPORTED for a task without a scripted expert, L2M_SIMULATOR_FAULT if the run failed or was stopped
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
  const foreign = missing.filter((task) => domainOf(task) !== 'metaworld');
  if (foreign.length > 0) {
    throw new L2mError('L2M_TASK_UNSUPPORTED', `${foreign.join(', ')} have no scripted expert`, {
      hint: 'Train one with `npx l2m train-expert`, or import data with `npx l2m import data`.',
    });
  }
  const writers = new Map<TaskId, TrajectoryWriter>();
  for (const spec of await server.describe(missing)) {
    const identity = { policy: 'expert', protocol: 'l2m-paper', seed: SEED, horizon: HORIZON, noises: [...NOISES] };
    const notes = { command: process.argv.slice(2).join(' '), versions: { ...server.fleet.versions() } };
    const provenance = { identity, notes };
    writers.set(
      spec.task,
      await openTrajectoryWriter({ folder: trajectories, task: spec.task, source, spec, provenance }),
    );
  }
  const request: RunRequest = {
    ...{ kind: 'collect', tasks: missing, episodes, protocol: 'l2m-paper', seed: SEED },
    ...{ policy: { kind: 'expert', noises: NOISES }, firstStart: 0, horizon: HORIZON },
  };
  const handle = await server.runs.start(request, {
    skip: (task, start) => writers.get(task)?.hasEpisode(start, NOISES[start % NOISES.length] ?? 0) ?? false,
    take: async (plan, trajectory) => {
      const noise = plan.actor.kind === 'expert' ? plan.actor.noise : 0;
      await writers.get(plan.task)?.append({ start: plan.start, noise, ...trajectory });
    },
  });
  const onStop = () => server.runs.stop(handle.run);
  signal.addEventListener('abort', onStop);
  const timer = setInterval(() => {
    const { finishedEpisodes, plannedEpisodes } = handle.summary();
    options.progress(finishedEpisodes, plannedEpisodes);
  }, 500);
  try {
    const { state, message } = await handle.over;
    const whole = state === 'finished';
    for (const writer of writers.values()) await (whole ? writer.finish() : writer.close());
    if (whole) return;
    throw new L2mError('L2M_SIMULATOR_FAULT', message === '' ? `${handle.run} is ${state}` : message, {
      hint: 'Give the same command again: what is collected is kept.',
    });
  } finally {
    clearInterval(timer);
    signal.removeEventListener('abort', onStop);
  }
}
