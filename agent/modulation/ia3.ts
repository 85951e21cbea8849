import type { ModelConfig } from '../config.ts';
import { gather, reshape, split, type Tensor } from '../ops.ts';
import { MODULATOR_SLOTS, parameter, POOL_NAME, SINGLE_NAME, type ParameterRecord } from '../weights/names.ts';

/** Factors of one block (spec §3.7): value and key [B or 1, 1, D], hidden units after the activation [B or 1, 1, 4 D]. */
export interface Ia3Modulator {
  readonly kind: 'ia3';
  readonly value: Tensor;
  readonly key: Tensor;
  readonly hidden: Tensor;
}

/** @param selected [B] int32 */
export function gatherIa3(parameters: ParameterRecord, selected: Tensor, model: ModelConfig): Ia3Modulator[] {
  return factors(gather(parameter(parameters, POOL_NAME), selected), model);
}

/** The factors that every window shares (spec §4). */
export function sharedIa3(parameters: ParameterRecord, model: ModelConfig): Ia3Modulator[] {
  return factors(reshape(parameter(parameters, SINGLE_NAME), [1, model.blocks, MODULATOR_SLOTS, model.width]), model);
}

/** @param all [B or 1, blocks, 6, D] */
function factors(all: Tensor, model: ModelConfig): Ia3Modulator[] {
  const batch = all.shape[0];
  return split(all, model.blocks, 1).map((block) => {
    const [value, key, hidden] = split(block, [1, 1, 4], 2) as [Tensor, Tensor, Tensor];
    return {
      kind: 'ia3',
      value: reshape(value, [batch, 1, model.width]),
      key: reshape(key, [batch, 1, model.width]),
      hidden: reshape(hidden, [batch, 1, 4 * model.width]),
    };
  });
}
