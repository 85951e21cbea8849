import type { ModelConfig } from '../config.ts';
import type { PrefixModulator } from '../modulation/prefix.ts';
import type { Prompts } from '../modulation/prompts.ts';
import { tensor, type Tensor } from '../ops.ts';
import { blockPrefix, type ParameterRecord } from '../weights/names.ts';
import { projectKeyValue, splitHeads, type KeyValue } from './attention.ts';
import { transformerBlock } from './block.ts';
import { addPositionCode } from './embedding.ts';
import type { Dropout } from './dropout.ts';
import { layerNorm } from './layer-norm.ts';
import { attentionMask } from './mask.ts';

interface PrefixOptions {
  readonly model: ModelConfig;
  /** While learning: prompt tokens pass through the blocks as the window's tokens do. */
  readonly dropout?: Dropout | undefined;
}

/**
 * Turns prompts into the keys and values that the window's tokens see in each block (spec §4). Prompt tuning's vectors pass through
 * the blocks as tokens; P-tuning v2's enter every block afresh, so only their keys and values matter; prefix tuning's are keys and
 * values already.
 */
export function prefixOfPrompts(
  parameters: ParameterRecord,
  prompts: Prompts,
  { model, dropout }: PrefixOptions,
): PrefixModulator[] {
  switch (prompts.form) {
    case 'tokens':
      return throughBlocks(parameters, prompts.layers[0]!, { model, dropout });
    case 'block-tokens':
      return prompts.layers.map((tokens, block) => prefix(keyValueOf(parameters, tokens, { block, model })));
    case 'key-values':
      return Array.from({ length: model.blocks }, (_, block) => {
        const [key, value] = prompts.layers.slice(2 * block, 2 * block + 2) as [Tensor, Tensor];
        return prefix({ key: splitHeads(key, model), value: splitHeads(value, model) });
      });
  }
}

/** @param tokens [b, n, D]; a prompt token sees earlier ones only, and carries the position code but no time code */
function throughBlocks(
  parameters: ParameterRecord,
  tokens: Tensor,
  { model, dropout }: PrefixOptions,
): PrefixModulator[] {
  const [batch = 0, count = 0] = tokens.shape;
  const allReal = tensor(new Float32Array(batch).fill(1), [batch, 1]);
  const mask = attentionMask(allReal, { perStep: count, total: count });
  const embedded = addPositionCode(parameters, tokens);
  let hidden = dropout === undefined ? embedded : dropout(embedded, 'embedding');
  return Array.from({ length: model.blocks }, (_, block) => {
    if (block === model.blocks - 1) return prefix(keyValueOf(parameters, hidden, { block, model }));
    const modulator = { kind: 'none' } as const;
    const result = transformerBlock(parameters, { hidden, past: null, mask, modulator, block, dropout }, model);
    hidden = result.hidden;
    return prefix(result.cache);
  });
}

/** Keys and values of tokens that enter a block, before any modulation. */
function keyValueOf(
  parameters: ParameterRecord,
  hidden: Tensor,
  { block, model }: { readonly block: number; readonly model: ModelConfig },
): KeyValue {
  const name = blockPrefix(block);
  const normalised = layerNorm(parameters, hidden, `${name}.ln_1`);
  const { key, value } = projectKeyValue(parameters, normalised, { name: `${name}.attn`, model });
  return { key: splitHeads(key, model), value: splitHeads(value, model) };
}

function prefix({ key, value }: KeyValue): PrefixModulator {
  return { kind: 'prefix', key, value };
}
