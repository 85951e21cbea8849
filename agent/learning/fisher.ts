import { zeroActionToken } from '../context/action-tokenizer.ts';
import { add, cast, div, mul, square, sub, type Tensor } from '../ops.ts';
import type { ParameterRecord } from '../weights/names.ts';
import { parameter } from '../weights/names.ts';
import { lossAndGradients, type GradientOptions } from './gradients.ts';
import type { TrainingBatch } from './loss.ts';
import { anchorPenalty, type Anchor } from './penalty.ts';

/** How Fisher information is estimated; the reference's habits that look like oversights can be switched off one by one. */
export interface FisherSettings {
  /** Batches of the task that has ended. */
  readonly batches: number;
  /** The loss whose gradients are squared includes the penalty of earlier tasks (spec §4). */
  readonly includesPenalty: boolean;
  /** Padded action dimensions count, with the token of 0 as their target: no action mask is passed (spec §4). */
  readonly countsPaddedActions: boolean;
  /** Rewards and returns-to-go enter as they are, not divided by the reward scale: only the training step divides. */
  readonly unscaledReturns: boolean;
}

export const REFERENCE_FISHER: FisherSettings = {
  batches: 10,
  includesPenalty: true,
  countsPaddedActions: true,
  unscaledReturns: true,
};

export interface FisherOptions extends GradientOptions {
  readonly fisher: FisherSettings;
  /** Of the task's domain; the batch has been divided by it. */
  readonly rewardScale: number;
  /** Those that are active in the task that ends. */
  readonly anchors: readonly Anchor[];
  readonly strength: number;
}

/**
 * One batch's part in the Fisher information: the squared gradient of the mean loss of the batch (not the mean of squared gradients of its
 * windows), divided by the number of batches. Reads no data, so it can be captured as a graph.
 *
 * @returns in the order of the trainable names, owned by the caller; the parts of all batches are to be added up
 */
export function fisherPart(parameters: ParameterRecord, batch: TrainingBatch, options: FisherOptions): Tensor[] {
  const { fisher, trainableNames, anchors, strength } = options;
  const { gradients } = lossAndGradients(parameters, batchForFisher(batch, options), options);
  const weights = trainableNames.map((name) => parameter(parameters, name));
  const pull = fisher.includesPenalty ? anchorPenalty(weights, anchors, strength) : null;
  return gradients.map((gradient, i) => {
    const whole = pull === null ? gradient : add(gradient, pull.gradients[i]!);
    return div(square(whole), fisher.batches);
  });
}

function batchForFisher(batch: TrainingBatch, { fisher, rewardScale, model }: FisherOptions): TrainingBatch {
  const { actionMask, targetTokens, returnsToGo, rewards } = batch;
  const zeroToken = zeroActionToken(model.bins);
  const allTargets = add(mul(targetTokens, actionMask), mul(sub(1, actionMask), zeroToken));
  return {
    ...batch,
    ...(fisher.countsPaddedActions
      ? { targetTokens: cast(allTargets, 'int32'), actionMask: add(mul(actionMask, 0), 1) }
      : {}),
    ...(fisher.unscaledReturns
      ? { returnsToGo: mul(returnsToGo, rewardScale), rewards: mul(rewards, rewardScale) }
      : {}),
  };
}
