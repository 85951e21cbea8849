import { MODEL_PRESETS, type ModelConfig, type ModulationConfig } from '../../agent/config.ts';
import {
  adapterNames,
  KEY_NAME,
  LORA_IN_NAME,
  MODULATOR_SLOTS,
  POOL_NAME,
  SINGLE_LORA_IN_NAME,
  SINGLE_NAME,
} from '../../agent/weights/names.ts';
import { L2mError } from '../errors.ts';
import { invalidCheckpoint } from './manifest.ts';

/** Shapes of a file's tensors, by the reference's names. */
export type NamedShapes = ReadonlyMap<string, readonly number[]>;

/** What no tensor's shape tells. Absent: the published values. */
export interface UnstoredSizes {
  readonly heads?: number | undefined;
  /** Timesteps of a window; 5 in the paper. */
  readonly context?: number | undefined;
  /** Padded action dimensions; 6 in the paper. */
  readonly actionSize?: number | undefined;
  /** Of LoRA: alpha over rank; 2 in the paper (spec §3.1). */
  readonly scaling?: number | undefined;
  /** Of prompt pools: prompts that a window gets; 5 in the paper. */
  readonly selected?: number | undefined;
}

export interface ReferenceModel {
  readonly model: ModelConfig;
  readonly modulation: ModulationConfig;
  /** Sentences on what was taken from the paper because the file does not say. */
  readonly assumed: readonly string[];
}

/** Every published size has heads of this width (spec §1.1). */
const PAPER_HEAD_WIDTH = 64;
/** Alpha is twice the rank (spec §3.1). */
const PAPER_SCALING = 2;

/**
 * Reads the sizes of a model and its pool off the shapes of its weights.
 *
 * @param where named in errors
 * @throws L2mError L2M_CHECKPOINT_INVALID for shapes of no such model, L2M_CONFIG_INVALID if the heads have to be told
 */
export function referenceModel(shapes: NamedShapes, given: UnstoredSizes, where: string): ReferenceModel {
  const size = (name: string, axis: number): number => {
    const found = shapes.get(name)?.[axis];
    if (found === undefined) throw invalidCheckpoint(where, `it has no weight ${name}, so it is no such model`);
    return found;
  };
  const width = size('embed_ln.weight', 0);
  const assumed: string[] = [];
  const assume = (what: string, value: number, flag: string): number => {
    assumed.push(`${what} ${value} (--${flag} says otherwise)`);
    return value;
  };
  const heads = given.heads ?? assume('heads', publishedHeads(width), 'heads');
  const model: ModelConfig = {
    width,
    blocks: blockCount(shapes, where),
    heads,
    context: given.context ?? assume('context', MODEL_PRESETS.paper.context, 'context'),
    stateSize: size('embed_state.weight', 1),
    actionSize: given.actionSize ?? assume('action size', MODEL_PRESETS.paper.actionSize, 'action-size'),
    bins: size('action_net.0.weight', 0),
    maximumTimestep: size('embed_timestep.weight', 0),
  };
  return { model, modulation: modulationOf(shapes, model, { given, assume, where }), assumed };
}

function publishedHeads(width: number): number {
  if (width % PAPER_HEAD_WIDTH === 0) return width / PAPER_HEAD_WIDTH;
  throw new L2mError('L2M_CONFIG_INVALID', `a model of width ${width} has no published number of heads`, {
    hint: 'Say it with --heads.',
  });
}

function blockCount(shapes: NamedShapes, where: string): number {
  const blocks = new Set([...shapes.keys()].flatMap((name) => /^encoder\.h\.(\d{1,4})\./.exec(name)?.[1] ?? []));
  if (blocks.size === 0) throw invalidCheckpoint(where, 'it has no transformer blocks (encoder.h.0.…)');
  return blocks.size;
}

interface Reading {
  readonly given: UnstoredSizes;
  readonly where: string;
  readonly assume: (what: string, value: number, flag: string) => number;
}

/** Published prompts that a window gets at once (spec §4). */
const PAPER_SELECTED = 5;

function modulationOf(
  shapes: NamedShapes,
  sizes: Pick<ModelConfig, 'width' | 'blocks'>,
  reading: Reading,
): ModulationConfig {
  const keyCount = shapes.get(KEY_NAME)?.[0];
  const modulation =
    keyCount === undefined
      ? sharedModulation(shapes, sizes, reading)
      : poolModulation(shapes, { ...sizes, keyCount }, reading);
  if (modulation !== undefined) return modulation;
  const foreign = [...shapes.keys()].filter((name) => name.startsWith('prompt.') || name.includes('adapter'));
  if (foreign.length === 0) return { kind: 'none' };
  throw new L2mError('L2M_CHECKPOINT_INVALID', `${reading.where}: a modulator of ${foreign.slice(0, 3).join(', ')}`, {
    hint: 'Models without modulators and with those of the paper can be imported.',
  });
}

interface PoolReading extends Pick<ModelConfig, 'width' | 'blocks'> {
  readonly keyCount: number;
}

function poolModulation(
  shapes: NamedShapes,
  { keyCount, blocks }: PoolReading,
  { given, assume }: Reading,
): ModulationConfig | undefined {
  const loraIn = shapes.get(LORA_IN_NAME);
  if (loraIn !== undefined) {
    const scaling = given.scaling ?? assume('LoRA scaling', PAPER_SCALING, 'scaling');
    return { kind: 'lora', poolSize: loraIn[0] ?? 0, keyCount, rank: loraIn.at(-1) ?? 0, scaling };
  }
  const [poolSize, ...rest] = shapes.get(POOL_NAME) ?? [];
  if (poolSize === undefined) return undefined;
  const [layers, slots] = rest;
  // A prompt of the same length as there are slots would look alike; nobody published one.
  if (rest.length === 3 && layers === blocks && slots === MODULATOR_SLOTS) return { kind: 'ia3', poolSize, keyCount };
  const form = rest.length === 2 ? 'tokens' : layers === blocks ? 'block-tokens' : 'key-values';
  const selected = given.selected ?? assume('prompts a window', PAPER_SELECTED, 'selected');
  return { kind: 'prompt-pool', poolSize, keyCount, form, length: rest.at(-2) ?? 0, selected };
}

function sharedModulation(
  shapes: NamedShapes,
  { width, blocks }: Pick<ModelConfig, 'width' | 'blocks'>,
  { given, assume }: Reading,
): ModulationConfig | undefined {
  const loraColumns = shapes.get(SINGLE_LORA_IN_NAME)?.[1];
  if (loraColumns !== undefined) {
    const scaling = given.scaling ?? assume('LoRA scaling', PAPER_SCALING, 'scaling');
    return { kind: 'single-lora', rank: loraColumns / (MODULATOR_SLOTS * width), scaling };
  }
  const units = shapes.get(`${adapterNames(0)[0]}.adapter_down.0.weight`)?.[0];
  if (units !== undefined) return { kind: 'adapter', units };
  const [rows, columns = 0] = shapes.get(SINGLE_NAME) ?? [];
  if (rows === undefined) return undefined;
  if (rows === blocks && columns === MODULATOR_SLOTS * width) return { kind: 'single-ia3' };
  const form = columns === width ? 'tokens' : columns === blocks * width ? 'block-tokens' : 'key-values';
  return { kind: 'single-prompt', form, length: rows };
}
