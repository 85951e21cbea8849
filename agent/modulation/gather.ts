import { isPool, type ModelConfig, type ModulationConfig, type PoolModulation } from '../config.ts';
import type { Tensor } from '../ops.ts';
import { prefixOfPrompts } from '../transformer/prompt-prefix.ts';
import type { ParameterRecord } from '../weights/names.ts';
import { blockAdapters } from './adapter.ts';
import { gatherIa3, sharedIa3 } from './ia3.ts';
import { gatherLora, sharedLora } from './lora.ts';
import type { BlockModulator } from './modulator.ts';
import { gatherPrompts, sharedPrompts } from './prompts.ts';

type Method = Exclude<ModulationConfig, PoolModulation>;

/**
 * Fetches what modulates each block.
 *
 * @param selected rows of the pool, [B] int32, or [B, k] where a window gets several; null leaves a pool out. Without a pool it is
 *   ignored: every window gets the same
 * @returns one modulator a block, whose tensors the caller owns
 */
export function gatherModulators(
  parameters: ParameterRecord,
  selected: Tensor | null,
  { model, modulation }: { readonly model: ModelConfig; readonly modulation: ModulationConfig },
): BlockModulator[] {
  if (!isPool(modulation)) return sharedModulators(parameters, { model, modulation });
  if (selected === null) return unmodulated(model);
  switch (modulation.kind) {
    case 'lora':
      return gatherLora(parameters, selected, { model, scaling: modulation.scaling });
    case 'ia3':
      return gatherIa3(parameters, selected, model);
    case 'prompt-pool':
      return prefixOfPrompts(parameters, gatherPrompts(parameters, selected, modulation), model);
  }
}

function sharedModulators(
  parameters: ParameterRecord,
  { model, modulation }: { readonly model: ModelConfig; readonly modulation: Method },
): BlockModulator[] {
  switch (modulation.kind) {
    case 'none':
      return unmodulated(model);
    case 'single-lora':
      return sharedLora(parameters, { model, ...modulation });
    case 'single-ia3':
      return sharedIa3(parameters, model);
    case 'adapter':
      return blockAdapters(parameters, model);
    case 'single-prompt':
      return prefixOfPrompts(parameters, sharedPrompts(parameters, { model, ...modulation }), model);
  }
}

/** No change in any block. */
function unmodulated(model: ModelConfig): BlockModulator[] {
  return Array.from({ length: model.blocks }, () => ({ kind: 'none' }));
}
