import { add, concat, exp, mean, minimum, mul, reshape, square, sub, type Tensor } from '../ops.ts';
import { feedForward } from './feed-forward.ts';
import { sampleActions } from './squashed-gaussian.ts';

/** B transitions of a replay; none of them ends an episode, so every one looks on. */
export interface ReplayBatch {
  /** [B, W] */
  readonly observations: Tensor;
  /** [B, A] */
  readonly actions: Tensor;
  /** [B] */
  readonly rewards: Tensor;
  /** [B, W] */
  readonly nextObservations: Tensor;
  /** [B, A] standard normal, for the actor's loss */
  readonly noise: Tensor;
  /** [B, A] standard normal, for the value of the next observations */
  readonly nextNoise: Tensor;
}

/** Both critics' values, each [B]. */
export function criticValues(pieces: readonly Tensor[], observations: Tensor, actions: Tensor): [Tensor, Tensor] {
  const input = concat([observations, actions], 1);
  const half = pieces.length / 2;
  const value = (own: readonly Tensor[]) => reshape(feedForward(input, own), [-1]);
  return [value(pieces.slice(0, half)), value(pieces.slice(half))];
}

/** [B] what the critics should say: the reward and the discounted soft value of what follows, by the more doubtful target critic. */
export function criticTargets(
  weights: { readonly actor: readonly Tensor[]; readonly targets: readonly Tensor[]; readonly logTemperature: Tensor },
  batch: ReplayBatch,
  discount: number,
): Tensor {
  const next = sampleActions(weights.actor, batch.nextObservations, batch.nextNoise);
  const [first, second] = criticValues(weights.targets, batch.nextObservations, next.actions);
  const soft = sub(minimum(first, second), mul(exp(weights.logTemperature), next.logProbabilities));
  return add(batch.rewards, mul(soft, discount));
}

/** Scalar: sum of both critics' mean squared errors. */
export function criticLoss(critics: readonly Tensor[], batch: ReplayBatch, targets: Tensor): Tensor {
  const [first, second] = criticValues(critics, batch.observations, batch.actions);
  return add(mean(square(sub(first, targets))), mean(square(sub(second, targets))));
}

/** Scalar loss of the actor, and [B] the logarithms of the densities it was taken at. */
export function actorLoss(
  weights: { readonly actor: readonly Tensor[]; readonly critics: readonly Tensor[]; readonly logTemperature: Tensor },
  batch: ReplayBatch,
): { loss: Tensor; logProbabilities: Tensor } {
  const { actions, logProbabilities } = sampleActions(weights.actor, batch.observations, batch.noise);
  const [first, second] = criticValues(weights.critics, batch.observations, actions);
  const loss = mean(sub(mul(exp(weights.logTemperature), logProbabilities), minimum(first, second)));
  return { loss, logProbabilities };
}
