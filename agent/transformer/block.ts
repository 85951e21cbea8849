import type { ModelConfig } from '../config.ts';
import {
  modulateActivated,
  modulateAttended,
  modulateFedForward,
  modulateHidden,
  type BlockModulator,
} from '../modulation/modulator.ts';
import { add, type Tensor } from '../ops.ts';
import { blockPrefix, type ParameterRecord } from '../weights/names.ts';
import { attention, type KeyValue } from './attention.ts';
import type { Dropout } from './dropout.ts';
import { gelu } from './gelu.ts';
import { layerNorm } from './layer-norm.ts';
import { linear } from './linear.ts';

/** Tokens whose output is wanted, cut out of [B, N, ...] to [B, Q, ...]. */
export type TokenCut = (x: Tensor) => Tensor;

export interface BlockInputs {
  /** [B, N, D] */
  readonly hidden: Tensor;
  readonly past: KeyValue | null;
  /** Broadcast to [B, H, Q, past + N]. */
  readonly mask: Tensor | null;
  readonly modulator: BlockModulator;
  readonly block: number;
  /** Only these tokens go on; all of them still serve as keys. */
  readonly cut?: TokenCut;
  readonly dropout?: Dropout | undefined;
}

/**
 * One pre-norm block: attention, then the feed-forward of width 4 D, each added to the residual stream (spec §1.3).
 *
 * @returns hidden [B, Q, D] and the block's keys and values; owned by the caller
 */
export function transformerBlock(
  parameters: ParameterRecord,
  inputs: BlockInputs,
  model: ModelConfig,
): { hidden: Tensor; cache: KeyValue } {
  const { past, mask, modulator, cut, dropout } = inputs;
  const dropped = (x: Tensor): Tensor => (dropout === undefined ? x : dropout(x, 'residual'));
  const name = blockPrefix(inputs.block);
  const tokens = layerNorm(parameters, inputs.hidden, `${name}.ln_1`);
  const asking = cut === undefined ? tokens : cut(tokens);
  const asked = { tokens, asking, past, mask, modulator, name: `${name}.attn`, dropout };
  const attended = attention(parameters, asked, model);
  const change = modulateAttended(modulator, dropped(attended.output));
  const residual = add(cut === undefined ? inputs.hidden : cut(inputs.hidden), change);

  const normalised = layerNorm(parameters, residual, `${name}.ln_2`);
  const before = linear(parameters, normalised, { name: `${name}.mlp.c_fc`, stored: 'in-out' });
  const activated = modulateActivated(modulator, gelu(modulateHidden(modulator, before)));
  const output = dropped(linear(parameters, activated, { name: `${name}.mlp.c_proj`, stored: 'in-out' }));
  return { hidden: add(residual, modulateFedForward(modulator, output)), cache: attended.cache };
}
