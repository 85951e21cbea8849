import type { ModelConfig, ModulationConfig } from '../../agent/config.ts';
import type { DropoutRates } from '../../agent/learning/dropout.ts';
import type { Anchor } from '../../agent/learning/penalty.ts';
import { trainableNames, type TrainableSet } from '../../agent/learning/trainable.ts';
import { modelShapes, parameterShapes, type Shapes } from '../../agent/weights/names.ts';
import type { TensorRecord } from './tensor-record.ts';

/** What learns, and how the rest of the model takes part. */
export interface LearningMethod {
  /** `none` leaves a pool out of the forward pass. */
  readonly modulation: ModulationConfig;
  /** Weights that learn. */
  readonly trainable: Shapes;
  /** All other weights that are read: constants of a graph. */
  readonly frozen: TensorRecord;
  /** Weight of the pull of keys towards queries; 0.5 in the paper (spec §3.5). */
  readonly pullWeight: number;
  /** Selection while learning a later task weighs keys by inverse counts, which every update is then given (spec §3.3). */
  readonly countPenalty?: boolean;
  /** Off if absent; every update is then given keys for each of its batches. On in frozen weights too (spec §1.7). */
  readonly dropout?: DropoutRates;
  /** Earlier tasks that pull at the weights (spec §4), lists in the order of `trainable`. */
  readonly penalty?: { readonly anchors: readonly Anchor[]; readonly strength: number };
}

/** Pre-training: every weight of the bare model learns. */
export function wholeModel(model: ModelConfig): LearningMethod {
  return { modulation: { kind: 'none' }, trainable: modelShapes(model), frozen: {}, pullWeight: 0 };
}

export interface MethodShapes {
  readonly modulation: ModulationConfig;
  readonly trainable: Shapes;
  readonly frozen: Shapes;
}

/** Shapes of what learns and of what does not, for one of the named sets of weights. Only sets of modulators need them in the forward pass. */
export function methodShapes(
  set: TrainableSet,
  { model, modulation }: { readonly model: ModelConfig; readonly modulation: ModulationConfig },
): MethodShapes {
  const used: ModulationConfig = set === 'pool' || set === 'modulators' ? modulation : { kind: 'none' };
  const names = new Set(trainableNames(set, { model, modulation: used }));
  const all = Object.entries(parameterShapes({ model, modulation: used }));
  return {
    modulation: used,
    trainable: Object.fromEntries(all.filter(([name]) => names.has(name))),
    frozen: Object.fromEntries(all.filter(([name]) => !names.has(name))),
  };
}
