import type { TaskId, TaskSpec } from '../../protocol/task.ts';
import type { Episode } from '../../server/learning/episode.ts';
import { openTrajectoryWriter, type TrajectoryWriter } from '../../server/learning/trajectory-writer.ts';

/** A task with observations of 3 and actions of 2 numbers. */
export function smallSpec(task: TaskId, reportsSuccess = true): TaskSpec {
  return {
    task,
    observation: [
      { name: 'position', size: 2 },
      { name: 'velocity', size: 1 },
    ],
    actionSize: 2,
    controlTimestep: 0.0125,
    reportsSuccess,
    hasExpert: true,
  };
}

/** An episode of the small task whose numbers tell where they belong; it succeeds in its step `successAt` alone. */
export function smallEpisode(
  start: number,
  changes: { steps?: number; noise?: number; successAt?: number } = {},
): Episode {
  const { steps = 4, noise = 0, successAt = -1 } = changes;
  const ramp = (count: number, scale: number) =>
    Float32Array.from({ length: count }, (_, i) => scale * (start + i + 1));
  return {
    start,
    noise,
    observations: ramp(steps * 3, 0.5),
    actions: ramp(steps * 2, 0.001),
    targets: ramp(steps * 2, -0.001),
    rewards: ramp(steps, 1),
    successes: Uint8Array.from({ length: steps }, (_, i) => Number(i === successAt)),
  };
}

export function smallWriter(folder: string, task: TaskId, source = 'expert'): Promise<TrajectoryWriter> {
  return openTrajectoryWriter({
    ...{ folder, task, source, spec: smallSpec(task, task.startsWith('metaworld')) },
    provenance: { identity: { seed: 1, protocol: 'l2m-paper' }, notes: { command: 'l2m collect' } },
  });
}
