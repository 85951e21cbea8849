import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ModelConfig, ModulationConfig, PromptForm } from '../../../agent/config.ts';
import { tensor, type Tensor } from '../../../agent/ops.ts';
import { tokensFromActions } from '../../../agent/context/action-tokenizer.ts';
import type { TrainingBatch } from '../../../agent/learning/loss.ts';
import { readParameters } from '../../../agent/weights/names.ts';
import { parseSafetensors, type NamedArray } from '../../../agent/weights/safetensors.ts';
import { readGoldenWeights } from './golden-weights.ts';

/** Numbers of the reference model's own code; README.md in that folder says how they were made. */
const FOLDER = process.env['L2M_GOLDEN'] ?? join(import.meta.dirname, 'reference');

const NAMES = [
  'mddt',
  'l2m_lora',
  'l2m_ia3',
  'lora',
  'ia3',
  'adapter',
  'prompt_pt',
  'prompt_pv2',
  'prompt_pret',
  'l2p_pt',
  'l2p_pv2',
  'l2p_pret',
] as const;
export type GoldenName = (typeof NAMES)[number];

/** Options of the reference's prompt classes, as far as the cases set them. */
interface PromptOptions {
  readonly kind: 'l2m_lora' | 'l2m_ia3' | 'lora' | 'ia3' | 'l2p' | 'dummy';
  readonly rank?: number;
  readonly lora_alpha?: number;
  readonly pool_size?: number;
  readonly length?: number;
  readonly top_k?: number;
  readonly n_layer?: number;
  readonly prefix?: boolean;
}

interface GoldenMeta {
  readonly config: {
    readonly hidden: number;
    readonly layers: number;
    readonly heads: number;
    readonly state_dim: number;
    readonly act_dim: number;
    readonly context: number;
    readonly bins: number;
  };
  readonly valid_steps: readonly number[];
  readonly action_dims: readonly number[];
  readonly cases: Readonly<Record<GoldenName, { readonly prompt_kwargs: PromptOptions | null }>>;
}

const META = JSON.parse(readFileSync(join(FOLDER, 'meta.json'), 'utf8')) as GoldenMeta;

const WEIGHTS = await readGoldenWeights(FOLDER, NAMES);

/** All twelve cases of our own folder; of another the ones whose weights are all there. */
export const GOLDEN_NAMES = NAMES.filter((name) => WEIGHTS.has(name));
export const INCOMPLETE_NAMES = NAMES.filter((name) => !WEIGHTS.has(name));

export const GOLDEN_MODEL: ModelConfig = {
  width: META.config.hidden,
  blocks: META.config.layers,
  heads: META.config.heads,
  context: META.config.context,
  stateSize: META.config.state_dim,
  actionSize: META.config.act_dim,
  bins: META.config.bins,
  maximumTimestep: arrayOf(readArrays('mddt.weights.safetensors'), 'embed_timestep.weight').shape[0]!,
};

/** Windows in the batch. */
export const GOLDEN_WINDOWS = META.valid_steps.length;

export interface GoldenCase {
  readonly config: { readonly model: ModelConfig; readonly modulation: ModulationConfig };
  readonly weights: ReadonlyMap<string, NamedArray>;
  readonly expected: ReadonlyMap<string, NamedArray>;
}

export function goldenCase(name: GoldenName): GoldenCase {
  const weights = WEIGHTS.get(name);
  if (weights === undefined) throw new Error(`the weights of ${name} lack attn.c_attn.bias`);
  return {
    config: { model: GOLDEN_MODEL, modulation: modulationOf(name, weights) },
    weights,
    expected: readArrays(`${name}.expected.safetensors`),
  };
}

function modulationOf(name: GoldenName, weights: ReadonlyMap<string, NamedArray>): ModulationConfig {
  const options = META.cases[name].prompt_kwargs;
  if (options === null) {
    const down = weights.get('encoder.h.0.adapter1.adapter_down.0.bias');
    return down === undefined ? { kind: 'none' } : { kind: 'adapter', units: down.shape[0]! };
  }
  // Defaults are those of the reference's classes.
  const { rank = 4, pool_size: poolSize = 10, length = 5, top_k: selected = 5 } = options;
  const scaling = (options.lora_alpha ?? 2 * rank) / rank;
  const sizes = { poolSize, keyCount: poolSize };
  const blocked: PromptForm = options.prefix === true ? 'key-values' : 'block-tokens';
  const form: PromptForm = options.n_layer === undefined ? 'tokens' : blocked;
  switch (options.kind) {
    case 'l2m_lora':
      return { kind: 'lora', ...sizes, rank, scaling };
    case 'l2m_ia3':
      return { kind: 'ia3', ...sizes };
    case 'lora':
      return { kind: 'single-lora', rank, scaling };
    case 'ia3':
      return { kind: 'single-ia3' };
    case 'l2p':
      return { kind: 'prompt-pool', ...sizes, form, length, selected };
    case 'dummy':
      return { kind: 'single-prompt', form, length };
  }
}

export function goldenMeta(): Pick<GoldenMeta, 'valid_steps' | 'action_dims'> {
  return META;
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
  const byStep = [GOLDEN_WINDOWS, GOLDEN_MODEL.context];
  return {
    states: floats('states'),
    actionTokens,
    targetTokens: actionTokens,
    returnsToGo: floats('returns_to_go', byStep),
    rewards: floats('rewards', byStep),
    timesteps: tensor(Int32Array.from(timesteps.data, Number), [...timesteps.shape], 'int32'),
    stepMask: floats('attention_mask'),
    actionMask: floats('action_mask'),
  };
}

/** The case's weights as tensors; the caller disposes them. */
export function goldenParameters(name: GoldenName): Record<string, Tensor> {
  const { config, weights } = goldenCase(name);
  return readParameters(weights, config);
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
