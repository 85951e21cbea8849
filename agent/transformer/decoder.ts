import { FIRST_PREDICTING_POSITION, tokensPerStep, type ModelConfig } from '../config.ts';
import type { EndModulators } from '../modulation/ends.ts';
import { addLowRank } from '../modulation/lora.ts';
import type { BlockModulator } from '../modulation/modulator.ts';
import { assertShape, reshape, slice, type Tensor } from '../ops.ts';
import type { ParameterRecord } from '../weights/names.ts';
import { transformerBlock, type TokenCut } from './block.ts';
import type { Dropout } from './dropout.ts';
import { addPositionCode } from './embedding.ts';
import { layerNorm } from './layer-norm.ts';
import { linear } from './linear.ts';
import { attentionMask } from './mask.ts';
import { neededTokens } from './needed-tokens.ts';

interface DecoderInputs {
  /** Embedded windows, [B, T, A + 3, D]. */
  readonly tokens: Tensor;
  /** [B, T] */
  readonly stepMask: Tensor;
  /** One per block. */
  readonly modulators: readonly BlockModulator[];
  /** While learning; see `DropoutPlace`. */
  readonly dropout?: Dropout | undefined;
}

/**
 * Runs whole windows through the blocks and the final norm.
 *
 * @returns the hidden state of every token, [B, T, A + 3, D], owned by the caller
 */
export function decodeAll(parameters: ParameterRecord, inputs: DecoderInputs, model: ModelConfig): Tensor {
  const [batch = 0, steps = 0] = inputs.tokens.shape;
  assertShape(inputs.tokens, [batch, steps, tokensPerStep(model), model.width], 'tokens');
  const hidden = runBlocks(parameters, inputs, model);
  return reshape(layerNorm(parameters, hidden, 'encoder.ln_f'), inputs.tokens.shape);
}

/**
 * The hidden states from which actions are predicted: position 1 (return-to-go) for the first dimension, position j for
 * dimension j (spec §1.4). The last block computes no others.
 *
 * @param inputs `dimensions`: how many of them are wanted, 1..A; all if absent
 * @returns [B, T, dimensions, D], owned by the caller
 */
export function decodePredicting(
  parameters: ParameterRecord,
  { tokens: all, dimensions, ...inputs }: DecoderInputs & { readonly dimensions?: number | undefined },
  model: ModelConfig,
): Tensor {
  const [batch = 0, steps = 0] = all.shape;
  assertShape(all, [batch, steps, tokensPerStep(model), model.width], 'tokens');
  const wanted = dimensions ?? model.actionSize;
  const tokens = neededTokens(all, model, wanted);
  const perStep = tokens.shape[2]!;
  const cut: TokenCut = (x) => {
    const byStep = reshape(x, [batch, steps, perStep, model.width]);
    const kept = slice(byStep, [0, 0, FIRST_PREDICTING_POSITION, 0], [batch, steps, wanted, model.width]);
    return reshape(kept, [batch, steps * wanted, model.width]);
  };
  const positions = Array.from({ length: steps * wanted }, (_, i) => {
    return Math.floor(i / wanted) * perStep + FIRST_PREDICTING_POSITION + (i % wanted);
  });
  const hidden = runBlocks(parameters, { ...inputs, tokens, last: { cut, positions } }, model);
  return reshape(layerNorm(parameters, hidden, 'encoder.ln_f'), [batch, steps, wanted, model.width]);
}

/**
 * Logits over the V bins of predicting hidden states.
 *
 * @param hidden [B, ..., D]
 * @param ends null where the head stays as it is
 * @returns [B, ..., V], owned by the caller
 */
export function actionLogits(parameters: ParameterRecord, hidden: Tensor, ends: EndModulators | null): Tensor {
  const logits = linear(parameters, hidden, { name: 'action_net.0', stored: 'out-in' });
  return ends === null ? logits : addLowRank(logits, hidden, ends.head);
}

/** What of the last block is wanted, as a cut and as the positions it keeps. */
interface LastBlock {
  readonly cut: TokenCut;
  readonly positions: readonly number[];
}

function runBlocks(
  parameters: ParameterRecord,
  { tokens, stepMask, modulators, dropout, last }: DecoderInputs & { readonly last?: LastBlock },
  model: ModelConfig,
): Tensor {
  const [batch = 0, steps = 0, perStep = 0] = tokens.shape;
  const layout = { perStep, total: steps * perStep, pastActions: model.pastActions };
  const embedded = reshape(addPositionCode(parameters, tokens), [batch, layout.total, model.width]);
  let hidden = dropout === undefined ? embedded : dropout(embedded, 'embedding');
  const mask = attentionMask(stepMask, layout);
  for (let block = 0; block < model.blocks; block++) {
    const inputs = { hidden, past: null, mask, modulator: modulators[block]!, block, dropout };
    if (last === undefined || block < model.blocks - 1) {
      hidden = transformerBlock(parameters, inputs, model).hidden;
    } else {
      const cutMask = attentionMask(stepMask, layout, last.positions);
      hidden = transformerBlock(parameters, { ...inputs, mask: cutMask, cut: last.cut }, model).hidden;
    }
  }
  return hidden;
}
