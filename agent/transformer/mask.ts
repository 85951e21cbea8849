import { add, mul, reshape, slice, sub, tensor, type Tensor } from '../ops.ts';

/** Added to the score of a key that comes later than its query; large enough that its weight is exactly zero. */
const FUTURE = -1e9;
/** Added to the score of a padded key (spec §1.3); its weight underflows to exactly zero too. */
const PADDED = -10_000;

/**
 * What is added to attention scores so that a token sees itself and earlier tokens of real steps only.
 *
 * @param stepMask [B, T], 1 for real steps
 * @param tokens tokens in a step, and how many tokens of the window there are in all (the last step may be cut short)
 * @param positions the query tokens; all tokens if absent
 * @returns [B, 1, queries, tokens.total], owned by the caller
 */
export function attentionMask(
  stepMask: Tensor,
  tokens: { readonly perStep: number; readonly total: number },
  positions?: readonly number[],
): Tensor {
  const queries = positions ?? Array.from({ length: tokens.total }, (_, i) => i);
  const causal = new Float32Array(queries.length * tokens.total);
  queries.forEach((position, row) => causal.fill(FUTURE, row * tokens.total + position + 1, (row + 1) * tokens.total));
  return add(tensor(causal, [1, 1, queries.length, tokens.total]), paddingMask(stepMask, tokens));
}

/** The padding part alone, for a query that comes after all keys: [B, 1, 1, tokens.total]. */
export function paddingMask(stepMask: Tensor, tokens: { readonly perStep: number; readonly total: number }): Tensor {
  const [batch = 0, steps = 0] = stepMask.shape;
  const perStep = mul(sub(1, stepMask), PADDED);
  const ones = tensor(new Float32Array(tokens.perStep).fill(1), [1, 1, tokens.perStep]);
  const all = reshape(mul(reshape(perStep, [batch, steps, 1]), ones), [batch, steps * tokens.perStep]);
  return reshape(slice(all, [0, 0], [batch, tokens.total]), [batch, 1, 1, tokens.total]);
}
