import { tokensPerStep, type ModelConfig } from '../config.ts';
import type { BlockModulator } from '../modulation/modulator.ts';
import { reshape, slice, type Tensor } from '../ops.ts';
import type { ParameterRecord } from '../weights/names.ts';
import type { KeyValue } from './attention.ts';
import { transformerBlock } from './block.ts';
import { addPositionCode } from './embedding.ts';
import { layerNorm } from './layer-norm.ts';
import { attentionMask, lastTokenMask, tokenLayout } from './mask.ts';

/** Where decoding inside one environment step stands. Exact, because earlier tokens never change within a step (spec §10.2). */
export interface DecodingState {
  /** Of the newest token, after the final norm, [B, 1, D]. */
  readonly hidden: Tensor;
  /** One per block. */
  readonly caches: readonly KeyValue[];
  /** Tokens seen so far. */
  readonly length: number;
}

export interface DecodingContext {
  /** [B, T] */
  readonly stepMask: Tensor;
  readonly modulators: readonly BlockModulator[];
}

/**
 * Reads all that is known of the window: the past steps and the newest step's state and return-to-go.
 *
 * @param tokens embedded window [B, T, A + 3, D]; the newest step's action and reward tokens are not read
 */
export function prefill(
  parameters: ParameterRecord,
  tokens: Tensor,
  { model, stepMask, modulators }: DecodingContext & { readonly model: ModelConfig },
): DecodingState {
  const [batch = 0, steps = 0] = tokens.shape;
  const perStep = tokensPerStep(model);
  const length = (steps - 1) * perStep + 2;
  const all = reshape(tokens, [batch, steps * perStep, model.width]);
  let hidden = addPositionCode(parameters, slice(all, [0, 0, 0], [batch, length, model.width]));
  const caches: KeyValue[] = [];
  const lastToken = (x: Tensor): Tensor => slice(x, [0, length - 1, 0], [batch, 1, model.width]);
  for (let block = 0; block < model.blocks; block++) {
    const inputs = { hidden, past: null, modulator: modulators[block]!, block };
    const layout = tokenLayout(model, length);
    const result =
      block < model.blocks - 1
        ? transformerBlock(parameters, { ...inputs, mask: attentionMask(stepMask, layout) }, model)
        : transformerBlock(parameters, { ...inputs, mask: lastTokenMask(stepMask, layout), cut: lastToken }, model);
    hidden = result.hidden;
    caches.push(result.cache);
  }
  return { hidden: layerNorm(parameters, hidden, 'encoder.ln_f'), caches, length };
}

/**
 * Reads one more token of the newest step.
 *
 * @param token embedded, before the position code, [B, 1, D]
 */
export function readToken(
  parameters: ParameterRecord,
  token: Tensor,
  {
    model,
    stepMask,
    modulators,
    state,
  }: DecodingContext & { readonly model: ModelConfig; readonly state: DecodingState },
): DecodingState {
  const length = state.length + 1;
  const mask = lastTokenMask(stepMask, tokenLayout(model, length));
  let hidden = addPositionCode(parameters, token);
  const caches = state.caches.map((past, block) => {
    const result = transformerBlock(parameters, { hidden, past, mask, modulator: modulators[block]!, block }, model);
    hidden = result.hidden;
    return result.cache;
  });
  return { hidden: layerNorm(parameters, hidden, 'encoder.ln_f'), caches, length };
}
