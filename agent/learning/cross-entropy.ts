import {
  assertShape,
  div,
  exp,
  logSoftmax,
  maximum,
  mul,
  oneHot,
  reshape,
  sub,
  sumAll,
  withGradient,
  type Tensor,
} from '../ops.ts';

/**
 * Mean cross entropy over the kept tokens (spec §1.5). The gradient is written out: softmax minus target, by weight.
 *
 * @param logits [N, V]
 * @param targets [N] int32, 0..V-1
 * @param kept [N] float, 1 for a token that counts
 * @returns a scalar, owned by the caller; 0 where nothing is kept
 */
export function meanCrossEntropy(logits: Tensor, targets: Tensor, kept: Tensor): Tensor {
  const [count = 0, bins = 0] = logits.shape;
  assertShape(targets, [count], 'targets');
  assertShape(kept, [count], 'kept');
  const weights = div(kept, maximum(sumAll(kept), 1));
  return weighted(logits, oneHot(targets, bins, 1, 0, 'float32'), reshape(weights, [count, 1]));
}

const weighted = withGradient<[logits: Tensor, wanted: Tensor, weights: Tensor]>(([logits, wanted, weights], save) => {
  const logProbabilities = logSoftmax(logits);
  save([logProbabilities, wanted, weights]);
  const gradFunc = (upstream: Tensor, saved: Tensor[]): Tensor[] => {
    const [logProbabilities, wanted, weights] = saved as [Tensor, Tensor, Tensor];
    const toLogits = mul(sub(exp(logProbabilities), wanted), mul(weights, upstream));
    // Targets and weights are data; nothing ever asks for their gradients.
    return [toLogits, wanted, weights];
  };
  return { value: mul(sumAll(mul(mul(logProbabilities, wanted), weights)), -1), gradFunc };
});
