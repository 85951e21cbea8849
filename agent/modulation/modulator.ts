import type { ModelConfig, ModulationConfig } from '../config.ts';
import { mul, type Tensor } from '../ops.ts';
import type { ParameterRecord } from '../weights/names.ts';
import { gatherIa3, type Ia3Modulator } from './ia3.ts';
import { addLowRank, gatherLora, loraQuery, loraValue, type LoraModulator } from './lora.ts';

/** What changes one block's projections, one row for each window of the batch. */
export type BlockModulator = { readonly kind: 'none' } | LoraModulator | Ia3Modulator;

/**
 * Fetches the selected modulators.
 *
 * @param selected [B] int32, rows of the pool; ignored for `none`
 * @returns one modulator a block, whose tensors the caller owns
 */
export function gatherModulators(
  parameters: ParameterRecord,
  selected: Tensor | null,
  { model, modulation }: { readonly model: ModelConfig; readonly modulation: ModulationConfig },
): BlockModulator[] {
  if (modulation.kind === 'none' || selected === null) return unmodulated(model);
  switch (modulation.kind) {
    case 'lora':
      return gatherLora(parameters, selected, { model, scaling: modulation.scaling });
    case 'ia3':
      return gatherIa3(parameters, selected, model);
  }
}

/** No change in any block. */
export function unmodulated(model: ModelConfig): BlockModulator[] {
  return Array.from({ length: model.blocks }, () => ({ kind: 'none' }));
}

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
      return { key, value };
    case 'lora':
      return { key, value: loraValue(modulator, tokens, value) };
    case 'ia3':
      return { key: mul(key, modulator.key), value: mul(value, modulator.value) };
  }
}

/** Before the activation of the feed-forward, [B, Q, 4 D]. */
export function modulateHidden(modulator: BlockModulator, hidden: Tensor): Tensor {
  return modulator.kind === 'lora' ? addLowRank(hidden, hidden, modulator.hidden) : hidden;
}

/** After the activation of the feed-forward, [B, Q, 4 D]. */
export function modulateActivated(modulator: BlockModulator, activated: Tensor): Tensor {
  return modulator.kind === 'ia3' ? mul(activated, modulator.hidden) : activated;
}
