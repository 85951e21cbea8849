import type { ModelConfig } from '../config.ts';
import type { BlockModulator } from '../modulation/modulator.ts';
import { concat, reshape, slice, tensor, type Tensor } from '../ops.ts';
import type { ParameterRecord } from '../weights/names.ts';
import type { KeyValue } from './attention.ts';
import { transformerBlock } from './block.ts';
import { addPositionCode } from './embedding.ts';
import { layerNorm } from './layer-norm.ts';
import { attentionMask } from './mask.ts';
import { neededTokens } from './needed-tokens.ts';

/** Where decoding inside one environment step stands. Exact, because earlier tokens never change within a step (spec §10.2). */
export interface DecodingState {
  /** Of the newest token, after the final norm, [B, 1, D]. */
  readonly hidden: Tensor;
  /** One per block. */
  readonly caches: readonly KeyValue[];
  /** Added to the scores of the tokens read so far, [B, 1, 1, tokens]: which of them later tokens may see. */
  readonly mask: Tensor;
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
  const known = neededTokens(tokens, model, 1);
  const [batch = 0, steps = 0, perStep = 0] = known.shape;
  const length = (steps - 1) * perStep + 2;
  const all = reshape(known, [batch, steps * perStep, model.width]);
  let hidden = addPositionCode(parameters, slice(all, [0, 0, 0], [batch, length, model.width]));
  const caches: KeyValue[] = [];
  const layout = { perStep, total: length, pastActions: model.pastActions };
  const lastMask = attentionMask(stepMask, layout, [length - 1]);
  const lastToken = (x: Tensor): Tensor => slice(x, [0, length - 1, 0], [batch, 1, model.width]);
  for (let block = 0; block < model.blocks; block++) {
    const inputs = { hidden, past: null, modulator: modulators[block]!, block };
    const result =
      block < model.blocks - 1
        ? transformerBlock(parameters, { ...inputs, mask: attentionMask(stepMask, layout) }, model)
        : transformerBlock(parameters, { ...inputs, mask: lastMask, cut: lastToken }, model);
    hidden = result.hidden;
    caches.push(result.cache);
  }
  return { hidden: layerNorm(parameters, hidden, 'encoder.ln_f'), caches, mask: lastMask };
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
    modulators,
    state,
  }: Pick<DecodingContext, 'modulators'> & { readonly model: ModelConfig; readonly state: DecodingState },
): DecodingState {
  const batch = state.mask.shape[0];
  const mask = concat([state.mask, tensor(new Float32Array(batch), [batch, 1, 1, 1])], 3);
  let hidden = addPositionCode(parameters, token);
  const caches = state.caches.map((past, block) => {
    const result = transformerBlock(parameters, { hidden, past, mask, modulator: modulators[block]!, block }, model);
    hidden = result.hidden;
    return result.cache;
  });
  return { hidden: layerNorm(parameters, hidden, 'encoder.ln_f'), caches, mask };
}
