import type { ModelConfig, ModulationConfig, PromptForm } from '../config.ts';
import { add, gather, reshape, split, tensor, type Tensor } from '../ops.ts';
import type { Dropout } from '../transformer/dropout.ts';
import { parameter, POOL_NAME, SINGLE_NAME, type ParameterRecord } from '../weights/names.ts';

/**
 * Learned vectors for each window, [B, n, D], or for all, [1, n, D]: one set before the window (`tokens`), one before every block's
 * input (`block-tokens`), or the keys and the values of every block in turn (`key-values`).
 */
export interface Prompts {
  readonly form: PromptForm;
  readonly layers: readonly Tensor[];
}

/**
 * Prompts of a pool, several of them one after the other, best first.
 *
 * @param selected [B] or [B, k] int32
 */
export function gatherPrompts(
  parameters: ParameterRecord,
  selected: Tensor,
  { form, length }: Extract<ModulationConfig, { readonly kind: 'prompt-pool' }>,
): Prompts {
  const pool = parameter(parameters, POOL_NAME); // [P, D-wide layers…, length, D]
  const [poolSize = 0] = pool.shape;
  const width = pool.shape[pool.shape.length - 1]!;
  const sets = form === 'tokens' ? [pool] : split(pool, pool.shape[1]!, 1);
  const [batch = 0, perWindow = 1] = selected.shape;
  const layers = sets.map((set) => {
    const picked = gather(reshape(set, [poolSize, length, width]), selected);
    return reshape(picked, [batch, perWindow * length, width]);
  });
  return { form, layers };
}

/**
 * The prompt that every window shares. The reference reads its table [length, blocks D] for `block-tokens` as [blocks, length, D],
 * so a row is spread over blocks; that order is kept. For `key-values` a row holds one vector for each block's keys and values.
 */
export function sharedPrompts(
  parameters: ParameterRecord,
  { model, form, length }: { readonly model: ModelConfig; readonly form: PromptForm; readonly length: number },
): Prompts {
  const table = parameter(parameters, SINGLE_NAME);
  const one = [1, length, model.width];
  switch (form) {
    case 'tokens':
      return { form, layers: [reshape(table, one)] };
    case 'block-tokens': {
      const byBlock = split(reshape(table, [model.blocks, length, model.width]), model.blocks);
      return { form, layers: byBlock };
    }
    case 'key-values':
      return { form, layers: split(table, 2 * model.blocks, 1).map((layer) => reshape(layer, one)) };
  }
}

/** Prompts as they are learned: repeated for every window where they are shared, with some of their values dropped (spec §4). */
export function droppedPrompts(
  { form, layers }: Prompts,
  { dropout, batch }: { readonly dropout: Dropout; readonly batch: number },
): Prompts {
  const zeros = tensor(new Float32Array(batch), [batch, 1, 1]);
  return {
    form,
    layers: layers.map((layer) => dropout(layer.shape[0] === batch ? layer : add(layer, zeros), 'prompt')),
  };
}
