import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ModelConfig, ModulationConfig } from '../../../agent/config.ts';
import { tensor, type Tensor } from '../../../agent/ops.ts';
import { tokensFromActions } from '../../../agent/context/action-tokenizer.ts';
import type { TrainingBatch } from '../../../agent/learning/loss.ts';
import { parseSafetensors, type NamedArray } from '../../../agent/weights/safetensors.ts';

/** Numbers of the reference model's own code; README.md in that folder says how they were made. */
const FOLDER = process.env['L2M_GOLDEN'] ?? join(import.meta.dirname, 'reference');

export const GOLDEN_MODEL: ModelConfig = {
  width: 32,
  blocks: 2,
  heads: 2,
  context: 5,
  stateSize: 204,
  actionSize: 6,
  bins: 64,
  maximumTimestep: 1000,
};

const MODULATION = {
  mddt: { kind: 'none' },
  l2m_lora: { kind: 'lora', poolSize: 8, keyCount: 8, rank: 4, scaling: 2 },
  l2m_ia3: { kind: 'ia3', poolSize: 8, keyCount: 8 },
} as const satisfies Record<string, ModulationConfig>;
export type GoldenName = keyof typeof MODULATION;

export interface GoldenCase {
  readonly config: { readonly model: ModelConfig; readonly modulation: ModulationConfig };
  readonly weights: ReadonlyMap<string, NamedArray>;
  readonly expected: ReadonlyMap<string, NamedArray>;
}

export function goldenCase(name: GoldenName): GoldenCase {
  return {
    config: { model: GOLDEN_MODEL, modulation: MODULATION[name] },
    weights: readArrays(`${name}.weights.safetensors`),
    expected: readArrays(`${name}.expected.safetensors`),
  };
}

export function goldenMeta(): { valid_steps: number[]; action_dims: number[] } {
  return JSON.parse(readFileSync(join(FOLDER, 'meta.json'), 'utf8')) as { valid_steps: number[]; action_dims: number[] };
}

export function goldenBatch(): TrainingBatch {
  const inputs = readArrays('inputs.safetensors');
  const floats = (name: string, shape?: number[]): Tensor => {
    const array = arrayOf(inputs, name);
    return tensor(Float32Array.from(array.data, Number), [...(shape ?? array.shape)], 'float32');
  };
  const actions = arrayOf(inputs, 'actions');
  const tokens = tokensFromActions(actions.data as Float32Array, GOLDEN_MODEL.bins);
  const actionTokens = tensor(tokens, [...actions.shape], 'int32');
  const timesteps = arrayOf(inputs, 'timesteps');
  return {
    states: floats('states'),
    actionTokens,
    targetTokens: actionTokens,
    returnsToGo: floats('returns_to_go', [6, 5]),
    rewards: floats('rewards', [6, 5]),
    timesteps: tensor(Int32Array.from(timesteps.data, Number), [...timesteps.shape], 'int32'),
    stepMask: floats('attention_mask'),
    actionMask: floats('action_mask'),
  };
}

export function arrayOf(arrays: ReadonlyMap<string, NamedArray>, name: string): NamedArray {
  const found = arrays.get(name);
  if (found === undefined) throw new Error(`the golden file lacks ${name}`);
  return found;
}

export function numbersOf(arrays: ReadonlyMap<string, NamedArray>, name: string): number[] {
  return Array.from(arrayOf(arrays, name).data, Number);
}

function readArrays(file: string): ReadonlyMap<string, NamedArray> {
  return parseSafetensors(readFileSync(join(FOLDER, file))).arrays;
}
