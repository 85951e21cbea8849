import { mul, type Tensor } from '../ops.ts';
import type { AdapterModulator } from './adapter.ts';
import type { Ia3Modulator } from './ia3.ts';
import { addLowRank, loraQuery, loraValue, type LoraModulator } from './lora.ts';
import type { PrefixModulator } from './prefix.ts';

/** What changes one block, for each window of the batch or for all alike. */
export type BlockModulator =
  { readonly kind: 'none' } | LoraModulator | Ia3Modulator | AdapterModulator | PrefixModulator;

/** @param asking [B, Q, D] input of the projection; @param query [B, Q, D] its output */
export function modulateQuery(modulator: BlockModulator, asking: Tensor, query: Tensor): Tensor {
  return modulator.kind === 'lora' ? loraQuery(modulator, asking, query) : query;
}

/** @param tokens [B, N, D] input of the projections */
export function modulateKeyValue(
  modulator: BlockModulator,
  tokens: Tensor,
  { key, value }: { readonly key: Tensor; readonly value: Tensor },
): { key: Tensor; value: Tensor } {
  switch (modulator.kind) {
    case 'none':
    case 'adapter':
    case 'prefix':
      return { key, value };
    case 'lora':
      return { key, value: loraValue(modulator, tokens, value) };
    case 'ia3':
      return { key: mul(key, modulator.key), value: mul(value, modulator.value) };
  }
}

/** Keys and values before the window's own, each [B or 1, H, n, E]; null where there are none. */
export function prefixOf(modulator: BlockModulator): PrefixModulator | null {
  return modulator.kind === 'prefix' ? modulator : null;
}

/** After the attention's output projection, before its residual sum, [B, Q, D]. */
export function modulateAttended(modulator: BlockModulator, attended: Tensor): Tensor {
  return modulator.kind === 'adapter' ? modulator.afterAttention(attended) : attended;
}

/** Before the activation of the feed-forward, [B, Q, 4 D]. */
export function modulateHidden(modulator: BlockModulator, hidden: Tensor): Tensor {
  return modulator.kind === 'lora' ? addLowRank(hidden, hidden, modulator.hidden) : hidden;
}

/** After the activation of the feed-forward, [B, Q, 4 D]. */
export function modulateActivated(modulator: BlockModulator, activated: Tensor): Tensor {
  return modulator.kind === 'ia3' ? mul(activated, modulator.hidden) : activated;
}

/** After the feed-forward, before its residual sum, [B, Q, D]. */
export function modulateFedForward(modulator: BlockModulator, output: Tensor): Tensor {
  return modulator.kind === 'adapter' ? modulator.afterFeedForward(output) : output;
}
