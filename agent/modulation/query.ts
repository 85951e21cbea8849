import type { ModelConfig, QueryVariant } from '../config.ts';
import {
  assertShape,
  div,
  matMul,
  maximum,
  mul,
  reshape,
  rsqrt,
  slice,
  square,
  sub,
  sumKept,
  type Tensor,
} from '../ops.ts';
import { decodePredicting } from '../transformer/decoder.ts';
import { parameter, QUERY_SCALE_NAME, QUERY_SHIFT_NAME, type ParameterRecord } from '../weights/names.ts';
import { unmodulated } from './gather.ts';

export interface QueryInputs {
  /** Embedded window [B, T, A + 3, D], before the position code. */
  readonly tokens: Tensor;
  /** [B, T] */
  readonly stepMask: Tensor;
}

export interface QueryOptions {
  readonly model: ModelConfig;
  /** Absent: the paper's. */
  readonly query?: QueryVariant | undefined;
}

/**
 * What a window asks the pool with. No variant depends on the pool's modulators, or on anything that is decided.
 *
 * @param parameters of the frozen model, and the table of standardised queries
 * @returns [B, D], owned by the caller
 */
export function poolQuery(
  parameters: ParameterRecord,
  { tokens, stepMask }: QueryInputs,
  { model, query }: QueryOptions,
): Tensor {
  switch (query) {
    case undefined:
      return windowQuery(tokens, stepMask);
    case 'last-state':
      return newestState(tokens);
    case 'standardised': {
      const centred = sub(windowQuery(tokens, stepMask), parameter(parameters, QUERY_SHIFT_NAME));
      return mul(centred, parameter(parameters, QUERY_SCALE_NAME));
    }
    case 'features':
      return frozenFeatures(parameters, { tokens, stepMask }, model);
  }
}

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

/** The newest step is real in every window. */
function newestState(tokens: Tensor): Tensor {
  const [batch = 0, steps = 0, , width = 0] = tokens.shape;
  return reshape(slice(tokens, [0, steps - 1, 0, 0], [batch, 1, 1, width]), [batch, width]);
}

/** From which the bare model predicts the newest step's first action dimension: it has seen the whole window, and no action of that step. */
function frozenFeatures(parameters: ParameterRecord, { tokens, stepMask }: QueryInputs, model: ModelConfig): Tensor {
  const [batch = 0, steps = 0] = stepMask.shape;
  const inputs = { tokens, stepMask, modulators: unmodulated(model) };
  const hidden = decodePredicting(parameters, inputs, model); // [B, T, A, D]
  return reshape(slice(hidden, [0, steps - 1, 0, 0], [batch, 1, 1, model.width]), [batch, model.width]);
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
