import { selectModulators, type DecideOptions } from './decision-transformer.ts';
import { modulatedTokens } from './modulation/ends.ts';
import { similarities } from './modulation/query.ts';
import { reshape, slice, type Tensor } from './ops.ts';
import { actionLogits, decodeAll } from './transformer/decoder.ts';
import { embedWindow, type WindowTensors } from './transformer/embedding.ts';
import { FIRST_PREDICTING_POSITION } from './config.ts';
import { KEY_NAME, parameter, type ParameterRecord } from './weights/names.ts';

/** What lay behind a decision that has been taken; tensors owned by the caller. */
export interface Explanation {
  /** [B, A, V] of the newest step; those of dimension j are given the chosen tokens before it */
  readonly logits: Tensor;
  /** [B, D] state token of the newest step, as the pool's query reads it */
  readonly state: Tensor;
  /** null without a pool */
  readonly pool: { readonly query: Tensor; readonly similarities: Tensor } | null;
  /** Weights of the wanted block, [B, H, L, prefix + L], L = T (A + 3); null if none is wanted */
  readonly attention: Tensor | null;
}

export interface ExplainOptions extends Omit<DecideOptions, 'actionDimensions'> {
  /** Block whose attention is wanted, 0-based. */
  readonly attentionOf: number | null;
}

/**
 * Explains decisions after the fact with one forward over whole windows, so that deciding itself carries nothing extra. Agrees with `decide`
 * up to rounding, because a position sees earlier tokens only. The caller opens a scope.
 *
 * @param window with the chosen tokens as the newest step's actions
 */
export function explainDecision(
  parameters: ParameterRecord,
  window: WindowTensors,
  { model, attentionOf, ...options }: ExplainOptions,
): Explanation {
  const tokens = embedWindow(parameters, window, model);
  const select = { ...options, model, actionDimensions: model.actionSize };
  const { selection, modulators, ends } = selectModulators(parameters, { tokens, window }, select);
  let attention: Tensor | null = null;
  let block = -1;
  // Attention weights pass through here on their way, block after block; nothing is dropped.
  const dropout = (x: Tensor, place: string): Tensor => {
    if (place === 'attention' && ++block === attentionOf) attention = x;
    return x;
  };
  const modulated = modulatedTokens(parameters, { tokens, window, ends }, model);
  const inputs = { tokens: modulated, stepMask: window.stepMask, modulators };
  const hidden = decodeAll(parameters, attentionOf === null ? inputs : { ...inputs, dropout }, model);
  const [batch = 0, steps = 0] = hidden.shape;
  const { actionSize, width } = model;
  const predicting = slice(hidden, [0, steps - 1, FIRST_PREDICTING_POSITION, 0], [batch, 1, actionSize, width]);
  return {
    logits: actionLogits(parameters, reshape(predicting, [batch, actionSize, width]), ends),
    state: reshape(slice(tokens, [0, steps - 1, 0, 0], [batch, 1, 1, width]), [batch, width]),
    pool:
      selection === null
        ? null
        : { query: selection.query, similarities: similarities(selection.query, parameter(parameters, KEY_NAME)) },
    attention,
  };
}
