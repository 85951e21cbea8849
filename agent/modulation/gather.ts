import { isPool, type ModelConfig, type ModulationConfig, type PoolModulation } from '../config.ts';
import type { Tensor } from '../ops.ts';
import type { Dropout } from '../transformer/dropout.ts';
import { prefixOfPrompts } from '../transformer/prompt-prefix.ts';
import type { ParameterRecord } from '../weights/names.ts';
import { blockAdapters } from './adapter.ts';
import { gatherIa3, sharedIa3 } from './ia3.ts';
import { gatherLora, sharedLora } from './lora.ts';
import type { BlockModulator } from './modulator.ts';
import { droppedPrompts, gatherPrompts, sharedPrompts, type Prompts } from './prompts.ts';

type Method = Exclude<ModulationConfig, PoolModulation>;

export interface GatherOptions {
  readonly model: ModelConfig;
  readonly modulation: ModulationConfig;
  /** While learning; prompts alone know it, every window of the batch with a mask of its own (spec §4). */
  readonly learning?: { readonly dropout: Dropout; readonly batch: number } | undefined;
}

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
  { model, modulation, learning }: GatherOptions,
): BlockModulator[] {
  const prefixOf = (prompts: Prompts): BlockModulator[] =>
    learning === undefined
      ? prefixOfPrompts(parameters, prompts, { model })
      : prefixOfPrompts(parameters, droppedPrompts(prompts, learning), { model, dropout: learning.dropout });
  if (!isPool(modulation)) return sharedModulators(parameters, { model, modulation, prefixOf });
  if (selected === null) return unmodulated(model);
  switch (modulation.kind) {
    case 'lora':
      return gatherLora(parameters, selected, { model, scaling: modulation.scaling });
    case 'ia3':
      return gatherIa3(parameters, selected, model);
    case 'prompt-pool':
      return prefixOf(gatherPrompts(parameters, selected, modulation));
  }
}

function sharedModulators(
  parameters: ParameterRecord,
  options: {
    readonly model: ModelConfig;
    readonly modulation: Method;
    readonly prefixOf: (prompts: Prompts) => BlockModulator[];
  },
): BlockModulator[] {
  const { model, modulation, prefixOf } = options;
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
      return prefixOf(sharedPrompts(parameters, { model, ...modulation }));
  }
}

/** No change in any block. */
export function unmodulated(model: ModelConfig): BlockModulator[] {
  return Array.from({ length: model.blocks }, () => ({ kind: 'none' }));
}
