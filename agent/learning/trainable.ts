import type { ModelConfig, ModulationConfig } from '../config.ts';
import { blockPrefix, modelShapes, poolShapes } from '../weights/names.ts';

/** Which weights learn: all of the model, its head, its last block, or the pool alone (spec §1.7, §3.5, §4). */
export type TrainableSet = 'model' | 'head' | 'last-block' | 'pool' | 'modulators';

/**
 * @returns names in a fixed order; `modulators` is the pool without its keys
 */
export function trainableNames(
  set: TrainableSet,
  { model, modulation }: { readonly model: ModelConfig; readonly modulation: ModulationConfig },
): string[] {
  const ofModel = Object.keys(modelShapes(model));
  const ofPool = Object.keys(poolShapes(model, modulation));
  switch (set) {
    case 'model':
      return ofModel;
    case 'head':
      return ofModel.filter((name) => name.startsWith('action_net.'));
    case 'last-block':
      return ofModel.filter((name) => name.startsWith(`${blockPrefix(model.blocks - 1)}.`));
    case 'pool':
      return ofPool;
    case 'modulators':
      return ofPool.filter((name) => !name.endsWith('_key'));
  }
}

/**
 * Whether a weight decays: the matrices of Linear and Conv1D layers do; biases, norms, tables and raw pool parameters do not
 * (spec §4).
 */
export function decays(name: string): boolean {
  if (!name.endsWith('.weight')) return false;
  return !/^(embed_timestep|embed_action_disc|embed_ln|encoder\.(wpe|wte|ln_f))\.|\.ln_[12]\./.test(name);
}
