import { add, mul, scalar, square, sub, sumAll, type Tensor } from '../ops.ts';

/** Where weights stood at the end of a task and how much each of them mattered; lists in the order of the trainable names. */
export interface Anchor {
  readonly weights: readonly Tensor[];
  /** Of the shape of the weight, or a scalar that counts for all of it: 1 for the L2 penalty. */
  readonly importances: readonly Tensor[];
}

/** Elastic weight consolidation and its L2 form as in the reference (spec §4). */
export interface PenaltySettings {
  /** `ewc` weighs every weight by its Fisher information, `l2` all alike. */
  readonly kind: 'ewc' | 'l2';
  /** Lambda. */
  readonly strength: number;
  /** `separate` keeps an anchor a task, `online` one whose importances decay by `decay` at each switch of tasks. */
  readonly mode: 'separate' | 'online';
  readonly decay: number;
  /** `separate` only. The reference drops the anchors of all tasks but the latest (spec §9, item 6). */
  readonly keepEarlierAnchors: boolean;
  /** The penalty applies from this task on, the first being 0. */
  readonly firstTask: number;
}

/** The reference's defaults; its decay has none and matters in `online` mode only. */
export const REFERENCE_PENALTY: PenaltySettings = {
  kind: 'ewc',
  strength: 400,
  mode: 'separate',
  decay: 1,
  keepEarlierAnchors: false,
  firstTask: 1,
};

/** The anchors that pull at the weights while a task is learned. */
export function activeAnchors(anchors: readonly Anchor[], task: number, settings: PenaltySettings): readonly Anchor[] {
  return task >= settings.firstTask ? anchors : [];
}

/**
 * What keeps weights near their anchors: strength x the sum over anchors and weights of importance x (weight - anchored weight)².
 *
 * @param weights in the order of the anchors' lists
 * @returns the penalty, a scalar, and its gradients by the weights, all owned by the caller; null without anchors
 */
export function anchorPenalty(
  weights: readonly Tensor[],
  anchors: readonly Anchor[],
  strength: number,
): { readonly penalty: Tensor; readonly gradients: readonly Tensor[] } | null {
  if (anchors.length === 0) return null;
  let penalty: Tensor = scalar(0);
  const gradients = weights.map((weight, i) => {
    const pulls = anchors.map((anchor) => {
      const away = sub(weight, anchor.weights[i]!);
      penalty = add(penalty, sumAll(mul(square(away), anchor.importances[i]!)));
      return mul(away, anchor.importances[i]!);
    });
    return mul(pulls.reduce(add<Tensor>), 2 * strength);
  });
  return { penalty: mul(penalty, strength), gradients };
}

/**
 * The anchors after a task has ended.
 *
 * @param ended copies of its weights with their importances; they live on in what is returned
 * @returns anchors for the tasks to come; new importances are owned by the caller. Anchors of `anchors` that are not returned are not disposed
 */
export function anchorsAfterTask(
  anchors: readonly Anchor[],
  ended: Anchor,
  { mode, decay, keepEarlierAnchors }: PenaltySettings,
): readonly Anchor[] {
  const latest = anchors.at(-1);
  switch (mode) {
    case 'separate':
      return keepEarlierAnchors ? [...anchors, ended] : [ended];
    case 'online': {
      if (latest === undefined) return [ended];
      const decayed = ended.importances.map((importance, i) => add(mul(latest.importances[i]!, decay), importance));
      return [{ weights: ended.weights, importances: decayed }];
    }
  }
}

/** Importances of the L2 penalty: one for every weight. */
export function equalImportances(weights: readonly Tensor[]): Tensor[] {
  return weights.map(() => scalar(1));
}
