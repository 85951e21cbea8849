import type { ModelConfig } from '../config.ts';
import { gather, reshape, split, type Tensor } from '../ops.ts';
import { IA3_NAME, parameter, type ParameterRecord } from '../weights/names.ts';

/** Factors of one block (spec §3.7): value and key [B, 1, D], hidden units after the activation [B, 1, 4 D]. */
export interface Ia3Modulator {
  readonly kind: 'ia3';
  readonly value: Tensor;
  readonly key: Tensor;
  readonly hidden: Tensor;
}

/** @param selected [B] int32 */
export function gatherIa3(parameters: ParameterRecord, selected: Tensor, model: ModelConfig): Ia3Modulator[] {
  const batch = selected.shape[0];
  const picked = gather(parameter(parameters, IA3_NAME), selected); // [B, blocks, 6, D]
  return split(picked, model.blocks, 1).map((block) => {
    const [value, key, hidden] = split(block, [1, 1, 4], 2) as [Tensor, Tensor, Tensor];
    return {
      kind: 'ia3',
      value: reshape(value, [batch, 1, model.width]),
      key: reshape(key, [batch, 1, model.width]),
      hidden: reshape(hidden, [batch, 1, 4 * model.width]),
    };
  });
}
