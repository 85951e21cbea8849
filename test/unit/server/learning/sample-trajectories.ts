import type { TaskSpec } from '../../../../protocol/task.ts';
import { randomSource } from '../../../../agent/random.ts';
import type { Trajectories } from '../../../../server/learning/trajectory-reader.ts';

export const REACH: TaskSpec = {
  task: 'metaworld/reach-v3',
  observation: [{ name: 'state', size: 6 }],
  actionSize: 4,
  controlTimestep: 0.0125,
  reportsSuccess: true,
  hasExpert: true,
};

export const CUP: TaskSpec = {
  task: 'dmcontrol/ball_in_cup-catch',
  observation: [
    { name: 'position', size: 4 },
    { name: 'velocity', size: 4 },
  ],
  actionSize: 2,
  controlTimestep: 0.02,
  reportsSuccess: false,
  hasExpert: false,
};

/** Trajectories in memory with random contents; `successAt` marks success from that step of every episode on. */
export function sampleTrajectories(spec: TaskSpec, lengths: readonly number[], successAt = Infinity): Trajectories {
  const random = randomSource(lengths.length);
  const observationSize = spec.observation.reduce((sum, part) => sum + part.size, 0);
  const { actionSize } = spec;
  const episodeOffsets = new Int32Array(lengths.length + 1);
  lengths.forEach((length, i) => (episodeOffsets[i + 1] = episodeOffsets[i]! + length));
  const rows = episodeOffsets.at(-1)!;
  const numbers = (count: number, draw: () => number) => Float32Array.from({ length: count }, draw);
  return {
    path: `${spec.task} in memory`,
    head: { task: spec.task, source: 'expert', spec, provenance: { identity: { seed: 1 }, notes: {} } },
    sizes: { observationSize, actionSize },
    contentHash: '0'.repeat(64),
    episodeCount: lengths.length,
    transitionCount: rows,
    episodeOffsets,
    starts: Int32Array.from(lengths.keys()),
    noises: new Float32Array(lengths.length),
    tensors: new Map(),
    observations: numbers(rows * observationSize, () => 3 * random.normal()),
    actions: numbers(rows * actionSize, () => 2 * random.uniform() - 1),
    targets: numbers(rows * actionSize, () => 2 * random.uniform() - 1),
    rewards: numbers(rows, () => 10 * random.uniform()),
    successes: Uint8Array.from(
      lengths.flatMap((length) => Array.from({ length }, (_, step) => Number(step >= successAt))),
    ),
  };
}
