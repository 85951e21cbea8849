import { add, exp, mul, slice, softplus, square, sub, sumOver, tanh, type Tensor } from '../ops.ts';
import { feedForward } from './feed-forward.ts';

/** Range of the logarithm of the deviation, reached smoothly so that its gradient never dies. */
export const LOG_DEVIATION_RANGE = { low: -5, high: 2 } as const;

const HALF_LOG_TWO_PI = 0.5 * Math.log(2 * Math.PI);

/** What an actor did for a batch of observations. */
export interface SampledActions {
  /** [B, A] in [-1, 1] */
  readonly actions: Tensor;
  /** [B] logarithm of the density of `actions` */
  readonly logProbabilities: Tensor;
}

/**
 * Samples a Gaussian squashed by tanh, with the noise handed in: zeros give the deterministic policy.
 *
 * @param pieces the actor's weights
 * @param observations [B, W]
 * @param noise [B, A] standard normal
 */
export function sampleActions(pieces: readonly Tensor[], observations: Tensor, noise: Tensor): SampledActions {
  const { mean, logDeviation } = gaussianOf(pieces, observations, noise.shape[1]!);
  const unsquashed = add(mean, mul(exp(logDeviation), noise));
  const gaussian = add(mul(square(noise), -0.5), mul(add(logDeviation, HALF_LOG_TWO_PI), -1));
  // log(1 - tanh(u)^2) = 2 (log 2 - u - softplus(-2u)), which neither overflows nor loses digits for large |u|.
  const volume = mul(sub(sub(Math.log(2), unsquashed), softplus(mul(unsquashed, -2))), 2);
  return { actions: tanh(unsquashed), logProbabilities: sumOver(sub(gaussian, volume), 1) };
}

/** Actions alone, for acting: [B, A] in [-1, 1]. */
export function chooseActions(pieces: readonly Tensor[], observations: Tensor, noise: Tensor): Tensor {
  const { mean, logDeviation } = gaussianOf(pieces, observations, noise.shape[1]!);
  return tanh(add(mean, mul(exp(logDeviation), noise)));
}

function gaussianOf(pieces: readonly Tensor[], observations: Tensor, actionSize: number) {
  const output = feedForward(observations, pieces);
  const batch = observations.shape[0];
  const mean = slice(output, [0, 0], [batch, actionSize]);
  const raw = slice(output, [0, actionSize], [batch, actionSize]);
  const { low, high } = LOG_DEVIATION_RANGE;
  const logDeviation = add(mul(add(tanh(raw), 1), (high - low) / 2), low);
  return { mean, logDeviation };
}
