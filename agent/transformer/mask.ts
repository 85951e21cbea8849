import { FIRST_PREDICTING_POSITION } from '../config.ts';
import { add, mul, reshape, slice, sub, tensor, type Tensor } from '../ops.ts';

/** Added to the score of a key that its query may not see; large enough that its weight is exactly zero. */
const UNSEEN = -1e9;
/** Added to the score of a padded key (spec §1.3); its weight underflows to exactly zero too. */
const PADDED = -10_000;

/** Which tokens there are. */
export interface TokenLayout {
  readonly perStep: number;
  /** Tokens of the window in all; the last step may be cut short. */
  readonly total: number;
  /** See `ModelConfig`. */
  readonly pastActions?: 'hidden' | undefined;
}

/**
 * What is added to attention scores so that a token sees itself and earlier tokens of real steps only, and actions of earlier steps
 * only where the model may.
 *
 * @param stepMask [B, T], 1 for real steps
 * @param positions the query tokens; all tokens if absent
 * @returns [B, 1, queries, layout.total], owned by the caller
 */
export function attentionMask(stepMask: Tensor, layout: TokenLayout, positions?: readonly number[]): Tensor {
  const queries = positions ?? Array.from({ length: layout.total }, (_, i) => i);
  const unseen = new Float32Array(queries.length * layout.total);
  queries.forEach((query, row) => {
    for (let key = 0; key < layout.total; key++) {
      if (!sees(query, key, layout)) unseen[row * layout.total + key] = UNSEEN;
    }
  });
  return add(tensor(unseen, [1, 1, queries.length, layout.total]), paddingMask(stepMask, layout));
}

function sees(query: number, key: number, layout: TokenLayout): boolean {
  if (key > query) return false;
  if (layout.pastActions === undefined || !isAction(key, layout)) return true;
  const sameStep = Math.floor(query / layout.perStep) === Math.floor(key / layout.perStep);
  // A reward token is read by later steps: what it had seen of its step's actions would come back through it.
  return sameStep && isAction(query, layout);
}

/** Actions stand between the return-to-go and the reward (spec §1.2). */
function isAction(token: number, { perStep }: TokenLayout): boolean {
  const position = token % perStep;
  return position > FIRST_PREDICTING_POSITION && position < perStep - 1;
}

/** [B, 1, 1, layout.total] */
function paddingMask(stepMask: Tensor, { perStep, total }: TokenLayout): Tensor {
  const [batch = 0, steps = 0] = stepMask.shape;
  const added = mul(sub(1, stepMask), PADDED);
  const ones = tensor(new Float32Array(perStep).fill(1), [1, 1, perStep]);
  const all = reshape(mul(reshape(added, [batch, steps, 1]), ones), [batch, steps * perStep]);
  return reshape(slice(all, [0, 0], [batch, total]), [batch, 1, 1, total]);
}
