import { distance } from 'fastest-levenshtein';
import { AgentError } from '../agent-error.ts';
import type { ModelConfig, ModulationConfig, PolicyConfig, PoolSizes, PromptForm } from '../config.ts';
import { tensor, type Tensor } from '../ops.ts';
import type { NamedArray } from './safetensors.ts';

/** Every weight by the reference's own name (spec §7.3, §3.2). Linear weights are [out, in], Conv1D weights [in, out]. */
export type ParameterRecord = Readonly<Record<string, Tensor>>;

export type Shapes = Readonly<Record<string, readonly number[]>>;

/** Of a model with observation waves: the sines of all state values at the first frequency, their cosines less one, and so on. */
export const WAVES_NAME = 'embed_waves.weight';
export const KEY_NAME = 'prompt.prompt_key';
/** Of a pool whose keys share modulators: [K] row each key points to, [K] added to each key's score (-1e9 leaves a key out). */
export const KEY_MODULATOR_NAME = 'prompt.key_modulator';
export const KEY_BIAS_NAME = 'prompt.key_bias';
/** Of a pool searched by layout: [K] place of each key's layout in the policy's order. */
export const KEY_LAYOUT_NAME = 'prompt.key_layout';
/** Of a pool with standardised queries: [D] taken off a query, then [D] it is multiplied by. */
export const QUERY_SHIFT_NAME = 'prompt.query_shift';
export const QUERY_SCALE_NAME = 'prompt.query_scale';
/** What a pool keeps beside its keys and modulators; never learned by gradients. */
export const POOL_TABLES: readonly string[] = [
  KEY_MODULATOR_NAME,
  KEY_BIAS_NAME,
  KEY_LAYOUT_NAME,
  QUERY_SHIFT_NAME,
  QUERY_SCALE_NAME,
];
export const LORA_IN_NAME = 'prompt.lora_a';
export const LORA_OUT_NAME = 'prompt.lora_b';
/** Of a pool that also changes the model's ends: the embeddings of states, waves included, and of action tokens, and the head. */
export const STATE_IN_NAME = 'prompt.state_a';
export const STATE_OUT_NAME = 'prompt.state_b';
export const ACTION_IN_NAME = 'prompt.action_a';
export const ACTION_OUT_NAME = 'prompt.action_b';
export const HEAD_IN_NAME = 'prompt.head_a';
export const HEAD_OUT_NAME = 'prompt.head_b';
/** (IA)³ factors or prompts of a pool. */
export const POOL_NAME = 'prompt.prompt';
/** Tables of the methods without a pool. */
export const SINGLE_LORA_IN_NAME = 'prompt.lora_a.weight';
export const SINGLE_LORA_OUT_NAME = 'prompt.lora_b.weight';
export const SINGLE_NAME = 'prompt.prompt.weight';
/** Slots of a modulator in one block: query, value (lora) or value, key (ia3), then four of width D for the feed-forward. */
export const MODULATOR_SLOTS = 6;
/** Rows of the reference's position table; only row 0 is ever read (spec §1.2, item 7). */
const POSITION_ROWS = 1024;

/** The weights a decision depends on. */
export function modelShapes(model: ModelConfig): Shapes {
  const d = model.width;
  const shapes: Record<string, readonly number[]> = {
    'embed_timestep.weight': [model.maximumTimestep, d],
    'embed_return.weight': [d, 1],
    'embed_return.bias': [d],
    'embed_rewards.weight': [d, 1],
    'embed_rewards.bias': [d],
    'embed_state.weight': [d, model.stateSize],
    'embed_state.bias': [d],
    ...waveShapes(model),
    'embed_action_disc.weight': [model.bins + 1, d],
    'embed_ln.weight': [d],
    'embed_ln.bias': [d],
    'encoder.wpe.weight': [POSITION_ROWS, d],
    'encoder.ln_f.weight': [d],
    'encoder.ln_f.bias': [d],
    'action_net.0.weight': [model.bins, d],
    'action_net.0.bias': [model.bins],
  };
  for (let block = 0; block < model.blocks; block++) {
    const name = blockPrefix(block);
    Object.assign(shapes, {
      [`${name}.ln_1.weight`]: [d],
      [`${name}.ln_1.bias`]: [d],
      [`${name}.attn.c_attn.weight`]: [d, 3 * d],
      [`${name}.attn.c_attn.bias`]: [3 * d],
      [`${name}.attn.c_proj.weight`]: [d, d],
      [`${name}.attn.c_proj.bias`]: [d],
      [`${name}.ln_2.weight`]: [d],
      [`${name}.ln_2.bias`]: [d],
      [`${name}.mlp.c_fc.weight`]: [d, 4 * d],
      [`${name}.mlp.c_fc.bias`]: [4 * d],
      [`${name}.mlp.c_proj.weight`]: [4 * d, d],
      [`${name}.mlp.c_proj.bias`]: [d],
    });
  }
  return shapes;
}

function waveShapes({ width, stateSize, observationWaves }: ModelConfig): Shapes {
  return observationWaves === undefined ? {} : { [WAVES_NAME]: [width, 2 * observationWaves.length * stateSize] };
}

/** Weights the reference's files hold but neither its decisions nor its loss read; accepted in a file and left there. */
export function unusedShapes(model: ModelConfig): Shapes {
  const d = model.width;
  return {
    'encoder.wte.weight': [1, d],
    'predict_state.weight': [model.stateSize, d],
    'predict_state.bias': [model.stateSize],
    'predict_return.weight': [1, d],
    'predict_return.bias': [1],
    'predict_reward.weight': [1, d],
    'predict_reward.bias': [1],
  };
}

/** What modulates the model, beside the model's own weights; empty for `none`. */
export function poolShapes(model: ModelConfig, modulation: ModulationConfig): Shapes {
  const d = model.width;
  const perBlock = [model.blocks, MODULATOR_SLOTS];
  switch (modulation.kind) {
    case 'none':
      return {};
    case 'lora':
      return {
        ...keyShapes(model, modulation),
        [LORA_IN_NAME]: [modulation.poolSize, ...perBlock, d, modulation.rank],
        [LORA_OUT_NAME]: [modulation.poolSize, ...perBlock, modulation.rank, d],
        ...(modulation.ends === true ? endShapes(model, modulation) : {}),
      };
    case 'ia3':
      return { ...keyShapes(model, modulation), [POOL_NAME]: [modulation.poolSize, ...perBlock, d] };
    case 'prompt-pool':
      return {
        ...keyShapes(model, modulation),
        [POOL_NAME]: [modulation.poolSize, ...promptLayers(model, modulation.form), modulation.length, d],
      };
    case 'single-lora': {
      const columns = MODULATOR_SLOTS * modulation.rank * d;
      return { [SINGLE_LORA_IN_NAME]: [model.blocks, columns], [SINGLE_LORA_OUT_NAME]: [model.blocks, columns] };
    }
    case 'single-ia3':
      return { [SINGLE_NAME]: [model.blocks, MODULATOR_SLOTS * d] };
    case 'adapter':
      return adapterShapes(model, modulation.units);
    case 'single-prompt': {
      const [layers = 1] = promptLayers(model, modulation.form);
      return { [SINGLE_NAME]: [modulation.length, layers * d] };
    }
  }
}

function keyShapes(model: ModelConfig, { keyCount, keyTable, byLayout, query }: PoolSizes): Shapes {
  return {
    [KEY_NAME]: [keyCount, model.width],
    ...(keyTable === true ? { [KEY_MODULATOR_NAME]: [keyCount], [KEY_BIAS_NAME]: [keyCount] } : {}),
    ...(byLayout === true ? { [KEY_LAYOUT_NAME]: [keyCount] } : {}),
    ...(query === 'standardised' ? { [QUERY_SHIFT_NAME]: [model.width], [QUERY_SCALE_NAME]: [model.width] } : {}),
  };
}

function endShapes(
  model: ModelConfig,
  { poolSize, rank }: { readonly poolSize: number; readonly rank: number },
): Shapes {
  return {
    [STATE_IN_NAME]: [poolSize, stateFeatures(model), rank],
    [STATE_OUT_NAME]: [poolSize, rank, model.width],
    [ACTION_IN_NAME]: [poolSize, model.bins + 1, rank],
    [ACTION_OUT_NAME]: [poolSize, rank, model.width],
    [HEAD_IN_NAME]: [poolSize, model.width, rank],
    [HEAD_OUT_NAME]: [poolSize, rank, model.bins],
  };
}

/** Numbers a state is embedded from: its values, then the waves of all values at each frequency. */
export function stateFeatures({ stateSize, observationWaves = [] }: ModelConfig): number {
  return stateSize * (1 + 2 * observationWaves.length);
}

/** The axis of a prompt pool that counts sets of vectors in one prompt: none, one a block, or keys and values of each block. */
function promptLayers(model: ModelConfig, form: PromptForm): [] | [layers: number] {
  switch (form) {
    case 'tokens':
      return [];
    case 'block-tokens':
      return [model.blocks];
    case 'key-values':
      return [2 * model.blocks];
  }
}

function adapterShapes(model: ModelConfig, units: number): Shapes {
  const shapes: Record<string, readonly number[]> = {};
  for (let block = 0; block < model.blocks; block++) {
    for (const name of adapterNames(block)) {
      shapes[`${name}.adapter_down.0.weight`] = [units, model.width];
      shapes[`${name}.adapter_down.0.bias`] = [units];
      shapes[`${name}.adapter_up.weight`] = [model.width, units];
      shapes[`${name}.adapter_up.bias`] = [model.width];
    }
  }
  return shapes;
}

/** Model and pool together. */
export function parameterShapes(config: Pick<PolicyConfig, 'model' | 'modulation'>): Shapes {
  return { ...modelShapes(config.model), ...poolShapes(config.model, config.modulation) };
}

export function blockPrefix(block: number): string {
  return `encoder.h.${block}`;
}

/** Prefixes of a block's two adapters: after the attention, after the feed-forward. */
export function adapterNames(block: number): [afterAttention: string, afterFeedForward: string] {
  return [`${blockPrefix(block)}.adapter1`, `${blockPrefix(block)}.adapter2`];
}

/** The parameter of that name, which `readParameters` and `initialiseParameters` have made sure of. */
export function parameter(parameters: ParameterRecord, name: string): Tensor {
  const found = parameters[name];
  if (found === undefined) throw new AgentError('L2M_CHECKPOINT_INVALID', `there is no weight ${name}`);
  return found;
}

/** Attention masks of older releases of the reference's library, its counters and row numbers, and a table that it never applies (spec §9). */
function isBuffer(name: string): boolean {
  return (
    /^encoder\.h\.\d+\.attn\.(masked_)?bias$/.test(name) ||
    /^prompt\.(counts|inv_counts_so_far|lookup|prefix_tokens|embed_tokens|prompt_embeds\.weight)$/.test(name)
  );
}

/**
 * Picks the wanted weights out of a file's arrays, after dropping one leading `module.` of each name.
 *
 * @returns the arrays of exactly the names in `wanted`
 * @throws AgentError L2M_CHECKPOINT_INVALID for a missing, unknown, wrongly shaped, not 32-bit or not finite weight
 */
export function selectArrays(
  arrays: ReadonlyMap<string, NamedArray>,
  wanted: Shapes,
  ignored: Shapes = {},
): Map<string, { shape: readonly number[]; data: Float32Array }> {
  const selected = new Map<string, { shape: readonly number[]; data: Float32Array }>();
  for (const [fileName, array] of arrays) {
    const name = fileName.startsWith('module.') ? fileName.slice('module.'.length) : fileName;
    if (isBuffer(name) || Object.hasOwn(ignored, name)) continue;
    const shape = Object.hasOwn(wanted, name) ? wanted[name] : undefined;
    if (shape === undefined) throw invalid(`it has the unknown weight ${name}${suggestion(name, wanted)}`);
    if (array.shape.join() !== shape.join()) {
      throw invalid(`${name} is [${array.shape.join(', ')}], expected [${shape.join(', ')}]`);
    }
    if (!(array.data instanceof Float32Array)) throw invalid(`${name} holds ${array.dtype}, expected F32`);
    if (!array.data.every(Number.isFinite)) throw invalid(`${name} holds numbers that are not finite`);
    selected.set(name, { shape, data: array.data });
  }
  const missing = Object.keys(wanted).filter((name) => !selected.has(name));
  if (missing.length > 0) {
    throw invalid(
      `it lacks ${missing.slice(0, 3).join(', ')}${missing.length > 3 ? ` and ${missing.length - 3} more` : ''}`,
    );
  }
  return selected;
}

/**
 * Makes tensors of a file's arrays; the caller disposes them.
 *
 * @throws AgentError L2M_CHECKPOINT_INVALID as `selectArrays` does
 */
export function readParameters(
  arrays: ReadonlyMap<string, NamedArray>,
  config: Pick<PolicyConfig, 'model' | 'modulation'>,
): Record<string, Tensor> {
  const selected = selectArrays(arrays, parameterShapes(config), unusedShapes(config.model));
  return Object.fromEntries(
    [...selected].map(([name, { shape, data }]) => [name, tensor(data, [...shape], 'float32')] as const),
  );
}

function suggestion(name: string, wanted: Shapes): string {
  const ranked = Object.keys(wanted).sort((a, b) => distance(a, name) - distance(b, name));
  const nearest = ranked[0];
  return nearest !== undefined && distance(nearest, name) <= 8 ? ` (did you mean ${nearest}?)` : '';
}

function invalid(got: string): AgentError {
  return new AgentError('L2M_CHECKPOINT_INVALID', got);
}
