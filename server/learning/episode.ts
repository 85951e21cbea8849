/**
 * One finished episode as it is learned from. Row t: observation before action t, reward and success after it.
 * `actions` were executed (and are the history a policy sees); `targets` are what should have been done.
 */
export interface Episode {
  /** Index of the start state; with `noise` it identifies the episode within its file. */
  readonly start: number;
  /** Standard deviation of the noise added to the acting policy's actions; below 0: none, but actions were drawn at this temperature. */
  readonly noise: number;
  /** [steps, observation width] */
  readonly observations: Float32Array;
  /** [steps, action size] */
  readonly actions: Float32Array;
  /** [steps, action size] */
  readonly targets: Float32Array;
  /** [steps] */
  readonly rewards: Float32Array;
  /** [steps] 0 or 1 */
  readonly successes: Uint8Array;
}

export interface EpisodeSizes {
  readonly observationSize: number;
  readonly actionSize: number;
}

/** Tensors with one row a step, in the order of the file; wide types first, so that each starts aligned. */
export const STEP_TENSORS = ['observations', 'actions', 'targets', 'rewards', 'successes'] as const;
export type StepTensor = (typeof STEP_TENSORS)[number];

/** Bytes of one step's row of a tensor. */
export function rowBytes(tensor: StepTensor, sizes: EpisodeSizes): number {
  switch (tensor) {
    case 'observations':
      return 4 * sizes.observationSize;
    case 'actions':
    case 'targets':
      return 4 * sizes.actionSize;
    case 'rewards':
      return 4;
    case 'successes':
      return 1;
  }
}

/** Why an episode cannot be stored, or undefined if it can: lengths agree, numbers are finite, actions lie in [-1, 1]. */
export function episodeProblem(episode: Episode, sizes: EpisodeSizes): string | undefined {
  const steps = episode.rewards.length;
  if (steps === 0) return 'an episode without steps';
  const lengths: readonly (readonly [StepTensor, number])[] = [
    ['observations', steps * sizes.observationSize],
    ['actions', steps * sizes.actionSize],
    ['targets', steps * sizes.actionSize],
    ['successes', steps],
  ];
  for (const [name, expected] of lengths) {
    if (episode[name].length !== expected) {
      return `${name} with ${episode[name].length} numbers instead of ${expected} (${steps} steps)`;
    }
  }
  for (const name of ['observations', 'rewards'] as const) {
    if (!episode[name].every(Number.isFinite)) return `${name} that are not finite`;
  }
  for (const name of ['actions', 'targets'] as const) {
    if (!episode[name].every((value) => value >= -1 && value <= 1)) return `${name} outside [-1, 1]`;
  }
  if (!Number.isSafeInteger(episode.start) || episode.start < 0) return `start ${episode.start}`;
  if (!Number.isFinite(episode.noise)) return `noise ${episode.noise}`;
  return undefined;
}
