import { assertShape, div, matMul, maximum, mul, reshape, rsqrt, slice, square, sumKept, type Tensor } from '../ops.ts';

/**
 * The pool's query: the mean of the embedded state tokens of a window's real steps (spec §3.3, items 1-2).
 *
 * @param tokens embedded window [B, T, A + 3, D], before the position code
 * @param stepMask [B, T]
 * @returns [B, D], owned by the caller
 */
export function windowQuery(tokens: Tensor, stepMask: Tensor): Tensor {
  const [batch = 0, steps = 0, , width = 0] = tokens.shape;
  const states = reshape(slice(tokens, [0, 0, 0, 0], [batch, steps, 1, width]), [batch, steps, width]);
  assertShape(stepMask, [batch, steps], 'stepMask');
  const total = reshape(matMul(reshape(stepMask, [batch, 1, steps]), states), [batch, width]);
  return div(total, maximum(sumKept(stepMask, 1), 1));
}

/**
 * Cosine of every query with every key.
 *
 * @param queries [B, D]
 * @param keys [K, D]
 * @returns [B, K] in -1..1, owned by the caller
 */
export function similarities(queries: Tensor, keys: Tensor): Tensor {
  assertShape(keys, [-1, queries.shape[1]!], 'keys');
  return matMul(unit(queries), unit(keys), false, true);
}

/** Rows divided by their length, which counts as at least 1e-6 (spec §3.3, item 3). */
function unit(rows: Tensor): Tensor {
  return mul(rows, rsqrt(maximum(sumKept(square(rows), 1), 1e-12)));
}
