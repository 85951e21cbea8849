import type { ModelConfig, ModulationConfig } from '../config.ts';
import { blockPrefix, modelShapes, POOL_TABLES, poolShapes } from '../weights/names.ts';

/** Which weights learn: all of the model, its head, its last block, or what modulates it alone (spec §1.7, §3.5, §4). */
export const TRAINABLE_SETS = ['model', 'head', 'last-block', 'last-block-and-head', 'pool', 'modulators'] as const;
export type TrainableSet = (typeof TRAINABLE_SETS)[number];

/**
 * @returns names in a fixed order; `pool` is all that modulates, with a pool or without, `modulators` the same without keys
 */
export function trainableNames(
  set: TrainableSet,
  { model, modulation }: { readonly model: ModelConfig; readonly modulation: ModulationConfig },
): string[] {
  const ofModel = Object.keys(modelShapes(model));
  const ofPool = Object.keys(poolShapes(model, modulation)).filter((name) => !POOL_TABLES.includes(name));
  const isHead = (name: string): boolean => name.startsWith('action_net.');
  const isLastBlock = (name: string): boolean => name.startsWith(`${blockPrefix(model.blocks - 1)}.`);
  switch (set) {
    case 'model':
      return ofModel;
    case 'head':
      return ofModel.filter(isHead);
    case 'last-block':
      return ofModel.filter(isLastBlock);
    case 'last-block-and-head':
      return ofModel.filter((name) => isHead(name) || isLastBlock(name));
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
  return !/^(prompt|embed_timestep|embed_action_disc|embed_ln|encoder\.(wpe|wte|ln_f))\.|\.ln_[12]\./.test(name);
}
