import type { ModelConfig } from '../config.ts';
import { modulateKeyValue, modulateQuery, prefixOf, type BlockModulator } from '../modulation/modulator.ts';
import { add, concat, matMul, mul, reshape, slice, softmax, split, tensor, transpose, type Tensor } from '../ops.ts';
import { parameter, type ParameterRecord } from '../weights/names.ts';
import type { Dropout } from './dropout.ts';
import { affine, linear } from './linear.ts';

/** Keys and values of the tokens seen so far, each [B, H, L, E]. */
export interface KeyValue {
  readonly key: Tensor;
  readonly value: Tensor;
}

export interface AttentionInputs {
  /** Normalised input of the tokens that become keys and values, [B, N, D]. */
  readonly tokens: Tensor;
  /** The same of the tokens that ask, [B, Q, D]; `tokens` itself unless only some outputs are needed. */
  readonly asking: Tensor;
  /** Null at the start of the window, where a prefix takes this place. */
  readonly past: KeyValue | null;
  /** Added to the scores of the window's tokens, broadcast to [B, H, Q, past + N]; null where every key may be seen. */
  readonly mask: Tensor | null;
  readonly modulator: BlockModulator;
  /** Name of the attention layer, `encoder.h.0.attn`. */
  readonly name: string;
  readonly dropout?: Dropout | undefined;
}

/**
 * Multi-head attention with modulated projections (spec §1.3, §3.6).
 *
 * @returns output [B, Q, D] after its projection, and keys and values including prefix and past; owned by the caller
 */
export function attention(
  parameters: ParameterRecord,
  inputs: AttentionInputs,
  model: ModelConfig,
): { output: Tensor; cache: KeyValue } {
  const projected = project(parameters, inputs, model);
  const query = splitHeads(mul(modulateQuery(inputs.modulator, inputs.asking, projected.query), scale(model)), model);
  const modulated = modulateKeyValue(inputs.modulator, inputs.tokens, projected);
  const cache = append(inputs.past ?? prefixOf(inputs.modulator), {
    key: splitHeads(modulated.key, model),
    value: splitHeads(modulated.value, model),
  });
  const scores = matMul(query, cache.key, false, true); // [B, H, Q, L]
  const weights = softmax(inputs.mask === null ? scores : add(scores, besidePrefix(inputs.mask, scores.shape[3]!)));
  const { dropout } = inputs;
  const kept = dropout === undefined ? weights : dropout(weights, 'attention');
  const mixed = joinHeads(matMul(kept, cache.value));
  return { output: linear(parameters, mixed, { name: `${inputs.name}.c_proj`, stored: 'in-out' }), cache };
}

/** Query, key and value before modulation: one product where all tokens ask, two where only some do. */
function project(
  parameters: ParameterRecord,
  { tokens, asking, name }: AttentionInputs,
  model: ModelConfig,
): KeyValue & { readonly query: Tensor } {
  const d = model.width;
  const weight = parameter(parameters, `${name}.c_attn.weight`);
  const bias = parameter(parameters, `${name}.c_attn.bias`);
  if (asking === tokens) {
    const [query, key, value] = split(affine(tokens, { weight, bias, transposed: false }), 3, 2) as [
      Tensor,
      Tensor,
      Tensor,
    ];
    return { query, key, value };
  }
  const queryWeight = slice(weight, [0, 0], [d, d]);
  const query = affine(asking, { weight: queryWeight, bias: slice(bias, [0], [d]), transposed: false });
  return { query, ...projectKeyValue(parameters, tokens, { name, model }) };
}

/** Keys and values alone, [B, N, D] each, before modulation. */
export function projectKeyValue(
  parameters: ParameterRecord,
  tokens: Tensor,
  { name, model }: { readonly name: string; readonly model: ModelConfig },
): KeyValue {
  const d = model.width;
  const weight = slice(parameter(parameters, `${name}.c_attn.weight`), [0, d], [d, 2 * d]);
  const bias = slice(parameter(parameters, `${name}.c_attn.bias`), [d], [2 * d]);
  const [key, value] = split(affine(tokens, { weight, bias, transposed: false }), 2, 2) as [Tensor, Tensor];
  return { key, value };
}

function scale(model: ModelConfig): number {
  return 1 / Math.sqrt(model.width / model.heads);
}

function append(past: KeyValue | null, now: KeyValue): KeyValue {
  if (past === null) return now;
  const batch = now.key.shape[0];
  return {
    key: concat([forEach(batch, past.key), now.key], 2),
    value: concat([forEach(batch, past.value), now.value], 2),
  };
}

/** One row for each window: a prefix that all windows share comes as a single row. */
function forEach(batch: number, x: Tensor): Tensor {
  return x.shape[0] === batch ? x : add(x, tensor(new Float32Array(batch), [batch, 1, 1, 1]));
}

/** A mask of the window's tokens, widened to the left by the prefix, which every token sees. */
function besidePrefix(mask: Tensor, length: number): Tensor {
  const [batch = 0, heads = 0, queries = 0, tokens = 0] = mask.shape;
  if (tokens === length) return mask;
  const shape = [batch, heads, queries, length - tokens];
  return concat([tensor(new Float32Array(shape.reduce((product, n) => product * n, 1)), shape), mask], 3);
}

/** [B, N, D] -> [B, H, N, E] */
export function splitHeads(x: Tensor, model: ModelConfig): Tensor {
  const [batch = 0, count = 0] = x.shape;
  return transpose(reshape(x, [batch, count, model.heads, model.width / model.heads]), [0, 2, 1, 3]);
}

/** [B, H, N, E] -> [B, N, D] */
function joinHeads(x: Tensor): Tensor {
  const [batch = 0, heads = 0, count = 0, headWidth = 0] = x.shape;
  return reshape(transpose(x, [0, 2, 1, 3]), [batch, count, heads * headWidth]);
}
