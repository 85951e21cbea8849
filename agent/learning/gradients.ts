import { AgentError } from '../agent-error.ts';
import { assertShape, keep, scalar, valueAndGrads, type Scalar, type Tensor } from '../ops.ts';
import { parameter, type ParameterRecord } from '../weights/names.ts';
import { policyLoss, selectForTraining, type LossOptions, type TrainingBatch } from './loss.ts';

/** Everything one training step needs; tensors owned by the caller. */
export interface LossAndGradients {
  readonly loss: Tensor;
  readonly crossEntropy: Tensor;
  /** Cosine to the selected keys, mean over the windows; 0 without a pool. */
  readonly similarity: Tensor;
  /** [B] int32, the key of each window, or [B, k], its keys; null without a pool. */
  readonly selectedKeys: Tensor | null;
  /** In the order of the trainable names. */
  readonly gradients: readonly Tensor[];
}

export type GradientOptions = Omit<LossOptions, 'selectedKeys'> & {
  readonly trainableNames: readonly string[];
};

/**
 * The loss of a batch and its gradients by the trainable weights; a pure function of tensors that reads no data.
 *
 * @throws AgentError L2M_CONFIG_INVALID if nothing is trainable
 */
export function lossAndGradients(
  parameters: ParameterRecord,
  batch: TrainingBatch,
  options: GradientOptions,
): LossAndGradients {
  const { trainableNames } = options;
  if (trainableNames.length === 0) throw new AgentError('L2M_CONFIG_INVALID', 'no weight is trainable');
  const selection = selectForTraining(parameters, batch, options);
  const selectedKeys = selection?.selectedKeys ?? null;
  selection?.similarity.dispose();

  // `valueAndGrads` returns the loss alone and disposes the rest; kept clones carry the parts out.
  const parts: Tensor[] = [];
  const differentiate = valueAndGrads((...trainable: Tensor[]) => {
    const changed = Object.fromEntries(trainableNames.map((name, i) => [name, trainable[i]!]));
    const result = policyLoss({ ...parameters, ...changed }, batch, { ...options, selectedKeys });
    parts.push(keep(result.crossEntropy.clone()), keep(result.similarity?.clone() ?? scalar(0)));
    assertShape(result.loss, [], 'loss');
    return result.loss as Scalar;
  });
  const { value, grads } = differentiate(trainableNames.map((name) => parameter(parameters, name)));
  const [crossEntropy, similarity] = parts.map((part) => {
    const tracked = part.clone();
    part.dispose();
    return tracked;
  }) as [Tensor, Tensor];
  return { loss: value, crossEntropy, similarity, selectedKeys, gradients: grads };
}
