import type { ModelConfig, ModulationConfig } from '../config.ts';
import { gather, reshape, type Tensor } from '../ops.ts';
import { embedChanged, type EmbedChanges, type WindowTensors } from '../transformer/embedding.ts';
import {
  ACTION_IN_NAME,
  ACTION_OUT_NAME,
  HEAD_IN_NAME,
  HEAD_OUT_NAME,
  parameter,
  STATE_IN_NAME,
  STATE_OUT_NAME,
  type ParameterRecord,
} from '../weights/names.ts';
import type { LowRank } from './lora.ts';

/**
 * What a modulator changes before the first block and after the last (beyond the paper). The query that selects it is of states without the
 * change, so selection does not depend on what was selected.
 */
export interface EndModulators extends EmbedChanges {
  /** Of hidden states after the final norm, onto the logits. */
  readonly head: LowRank;
}

/**
 * Fetches the selected rows.
 *
 * @param selected [B] int32; null leaves the pool out
 * @returns null where the ends stay as they are; tensors owned by the caller
 */
export function gatherEnds(
  parameters: ParameterRecord,
  selected: Tensor | null,
  modulation: ModulationConfig,
): EndModulators | null {
  if (selected === null || modulation.kind !== 'lora' || modulation.ends !== true) return null;
  const pick = (name: string): Tensor => {
    const pool = parameter(parameters, name);
    return pool.shape[0] === 1 ? reshape(pool, pool.shape.slice(1)) : gather(pool, selected);
  };
  const pair = (into: string, out: string): LowRank => ({
    in: pick(into),
    out: pick(out),
    scaling: modulation.scaling,
  });
  return {
    state: pair(STATE_IN_NAME, STATE_OUT_NAME),
    actions: pair(ACTION_IN_NAME, ACTION_OUT_NAME),
    head: pair(HEAD_IN_NAME, HEAD_OUT_NAME),
  };
}

/** The window as the selected modulators embed it; the same tokens where they leave that alone. */
export function modulatedTokens(
  parameters: ParameterRecord,
  {
    tokens,
    window,
    ends,
  }: { readonly tokens: Tensor; readonly window: WindowTensors; readonly ends: EndModulators | null },
  model: ModelConfig,
): Tensor {
  return ends === null ? tokens : embedChanged(parameters, window, { model, ends });
}
