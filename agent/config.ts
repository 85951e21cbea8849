import type { Domain } from '../protocol/task.ts';
import { AgentError } from './agent-error.ts';

/** Sizes of the decision transformer. Shape letters as in agent/README.md. */
export interface ModelConfig {
  /** D, width of every token. */
  readonly width: number;
  readonly blocks: number;
  /** H; the width must be a multiple of it. */
  readonly heads: number;
  /** T, timesteps a window holds at most. */
  readonly context: number;
  /** S, size of the unified observation vector (spec §2.1). */
  readonly stateSize: number;
  /** A, size of the padded action (spec §2.2). */
  readonly actionSize: number;
  /** V, bins of the action tokeniser (spec §2.3). */
  readonly bins: number;
  /** Timesteps that have a code; a step at or beyond it has none and is refused. */
  readonly maximumTimestep: number;
  /**
   * Absent: every token sees the actions of earlier steps, as in the paper. `hidden`: only tokens of the same step do, so an action follows from
   * states, returns and rewards, and cannot be a copy of the last one (beyond the paper).
   */
  readonly pastActions?: 'hidden';
  /**
   * Frequencies f: beside every value x of a state, sin(f x) and cos(f x) - 1 are embedded (beyond the paper). In standardised units a frequency of 12
   * tells apart what lies 0.05 deviations apart, which one product followed by a norm does not.
   */
  readonly observationWaves?: readonly number[];
}

/**
 * What of a window asks the pool: absent the mean of its embedded states, as in the paper; the newest of them alone; the mean, standardised by
 * dimension with a table that is kept with the pool; or what the frozen model has made of the window after its last block.
 */
export const QUERY_VARIANTS = ['last-state', 'standardised', 'features'] as const;
export type QueryVariant = (typeof QUERY_VARIANTS)[number];

/** Keys and modulators of a pool. `keyCount` may exceed `poolSize` when several keys share one modulator (beyond the paper). */
export interface PoolSizes {
  readonly poolSize: number;
  readonly keyCount: number;
  /** L2M-oracle: keys in so many equal groups of neighbours, one a task, and the true task's group alone is searched (spec §3.7). */
  readonly taskGroups?: number;
  /** Several keys may point to one modulator, by a table that is kept with the pool (beyond the paper). */
  readonly keyTable?: true;
  /** Beyond the paper, as are the next three. */
  readonly query?: QueryVariant;
  /** Of a key table: a window is served by keys of tasks with the same layout of observations alone (`observationLayout`). */
  readonly byLayout?: true;
  /** The row that most of so many earlier steps of the episode asked for decides; the first step's own row decides the first. */
  readonly voteSteps?: number;
  /** Of a key table: a window whose best cosine is lower is unknown, and the identity row decides for it. */
  readonly unknownBelow?: number;
}

/** Where learned vectors stand: before the window, before every block's input, or as keys and values of every block (spec §4). */
export type PromptForm = 'tokens' | 'block-tokens' | 'key-values';

/** A modulator looked up by the window's query: L2M-LoRA, L2M-(IA)³ and the three forms of L2P (spec §3, §4). */
export type PoolModulation =
  | (PoolSizes & {
      readonly kind: 'lora';
      readonly rank: number;
      readonly scaling: number;
      /** Each modulator also changes how states are embedded and actions are read out, at the same rank (beyond the paper). */
      readonly ends?: true;
    })
  | (PoolSizes & { readonly kind: 'ia3' })
  | (PoolSizes & {
      readonly kind: 'prompt-pool';
      readonly form: PromptForm;
      /** Vectors of one prompt. */
      readonly length: number;
      /** Prompts a window gets, best first; they stand one after the other. */
      readonly selected: number;
    });

/** How the frozen model is modulated: not at all, by a pool, or by one set of weights for every window (spec §4). */
export type ModulationConfig =
  | { readonly kind: 'none' }
  | PoolModulation
  | { readonly kind: 'single-lora'; readonly rank: number; readonly scaling: number }
  | { readonly kind: 'single-ia3' }
  /** Bottlenecks of `units` after the attention and after the feed-forward of every block. */
  | { readonly kind: 'adapter'; readonly units: number }
  | { readonly kind: 'single-prompt'; readonly form: PromptForm; readonly length: number };

/** Mean and deviation of each of the S dimensions, of one domain's training data. */
export interface StandardisationTable {
  readonly mean: readonly number[];
  readonly deviation: readonly number[];
}

export type RestartAtHorizon = number | null | Readonly<Record<Domain, number | null>>;

/** Everything about running the policy that is not a weight. The first four go beyond the paper or repair the reference. */
export interface PolicyOptions {
  /** States become (x - mean) / (deviation + 0.01) with the table of the task's domain; absent: raw states as in the paper. */
  readonly standardise?: { readonly metaworld?: StandardisationTable; readonly dmcontrol?: StandardisationTable };
  /** Actions decode to the middle of their bin instead of its lower edge. */
  readonly binCentres: boolean;
  /**
   * Context, timestep and return-to-go start anew every so many steps, in all tasks or by domain: a model knows only timesteps that
   * its data had. null: never.
   */
  readonly restartAtHorizon: RestartAtHorizon;
  /** `zero` repeats the reference's evaluation, where later episodes start from an all-zero state (spec §6.3). */
  readonly startObservation: 'observed' | 'zero';
  /** Tasks in the order of their groups of keys, where the pool is searched by the true task (spec §3.7). */
  readonly taskOrder?: readonly string[];
  /** Layouts of observations by their place, which keys are told apart by (`PoolSizes.byLayout`). */
  readonly layoutOrder?: readonly string[];
  /** Rewards and returns-to-go are divided by these (spec §2.4). */
  readonly rewardScale: { readonly metaworld: number; readonly dmcontrol: number };
}

/** All a checkpoint's manifest has to say about the policy. */
export interface PolicyConfig {
  readonly model: ModelConfig;
  readonly modulation: ModulationConfig;
  readonly options: PolicyOptions;
}

/** Tokens of one timestep: state, return-to-go, A actions, reward (spec §1.2). */
export function tokensPerStep(model: ModelConfig): number {
  return model.actionSize + 3;
}

/** Position of the token, inside its timestep, that predicts the first action dimension: the return-to-go (spec §1.4). */
export const FIRST_PREDICTING_POSITION = 1;

/** Row of the action table that stands for "no action"; kept at zero (spec §1.1). */
export function padToken(model: ModelConfig): number {
  return model.bins;
}

/** Options of the paper: nothing beyond it, but episodes start from what was observed. */
export const PAPER_OPTIONS: PolicyOptions = {
  binCentres: false,
  restartAtHorizon: null,
  startObservation: 'observed',
  rewardScale: { metaworld: 200, dmcontrol: 100 },
};

/** L2M-LoRA as published: pool 30, rank 8, alpha 16, so scaling 2 (spec §3.1). */
export const PAPER_MODULATION: ModulationConfig = { kind: 'lora', poolSize: 30, keyCount: 30, rank: 8, scaling: 2 };

const PROMPT = { kind: 'single-prompt', length: 25 } as const;
const PROMPT_POOL = { kind: 'prompt-pool', poolSize: 100, keyCount: 100, length: 5, selected: 5 } as const;

/** Every method of the reference with its sizes at width 768 (spec §3.1, §4). */
export const METHOD_PRESETS = {
  none: { kind: 'none' },
  'l2m-lora': PAPER_MODULATION,
  'l2m-ia3': { kind: 'ia3', poolSize: 30, keyCount: 30 },
  lora: { kind: 'single-lora', rank: 8, scaling: 2 },
  ia3: { kind: 'single-ia3' },
  adapter: { kind: 'adapter', units: 48 },
  'prompt-tuning': { ...PROMPT, form: 'tokens' },
  'p-tuning-v2': { ...PROMPT, form: 'block-tokens' },
  'prefix-tuning': { ...PROMPT, form: 'key-values' },
  'l2p-pt': { ...PROMPT_POOL, form: 'tokens' },
  'l2p-pv2': { ...PROMPT_POOL, form: 'block-tokens' },
  'l2p-pret': { ...PROMPT_POOL, form: 'key-values' },
} as const satisfies Record<string, ModulationConfig>;

const UNIFIED = { context: 5, stateSize: 204, actionSize: 6, bins: 64, maximumTimestep: 1000 } as const;

/** Sizes with a name. `paper` is the reference's dt_mediumplus_64 (spec §1.1), the others are ours, for small machines. */
export const MODEL_PRESETS = {
  tiny: { ...UNIFIED, width: 128, blocks: 4, heads: 4 },
  small: { ...UNIFIED, width: 256, blocks: 3, heads: 4 },
  medium: { ...UNIFIED, width: 512, blocks: 4, heads: 8 },
  paper: { ...UNIFIED, width: 768, blocks: 6, heads: 12 },
} as const satisfies Record<string, ModelConfig>;
export type ModelPreset = keyof typeof MODEL_PRESETS;

/** Frequencies of a model's `observationWaves`, at most. */
const MOST_WAVES = 8;

/**
 * Refuses sizes that no model can have.
 *
 * @throws AgentError L2M_CONFIG_INVALID, naming the field
 */
export function checkModelConfig({ pastActions: _, observationWaves = [], ...model }: ModelConfig): void {
  if (
    observationWaves.length > MOST_WAVES ||
    observationWaves.some((frequency) => !(frequency > 0 && frequency <= 1e3))
  ) {
    const got = JSON.stringify(observationWaves);
    throw new AgentError(
      'L2M_CONFIG_INVALID',
      `model.observationWaves is ${got}, not up to ${MOST_WAVES} frequencies in 0..1000`,
    );
  }
  for (const [name, value] of Object.entries(model)) {
    if (!Number.isInteger(value) || value < 1 || value > 65_536) {
      throw new AgentError('L2M_CONFIG_INVALID', `model.${name} is ${value}, not a whole number in 1..65536`);
    }
  }
  if (model.width % model.heads !== 0) {
    throw new AgentError(
      'L2M_CONFIG_INVALID',
      `model.width ${model.width} is not a multiple of model.heads ${model.heads}`,
    );
  }
}

/** Whether the window's query chooses what it is modulated by. */
export function isPool(modulation: ModulationConfig): modulation is PoolModulation {
  return 'poolSize' in modulation;
}

/** Whether something beside the query decides which keys are searched: the true task (L2M-oracle, spec §3.7), or the layout of observations. */
export function isSearchedByGroup(modulation: ModulationConfig): boolean {
  return isPool(modulation) && (modulation.taskGroups !== undefined || modulation.byLayout === true);
}

/** Whether several keys may point to one row. */
export function hasKeyTable(modulation: ModulationConfig): boolean {
  return isPool(modulation) && modulation.keyTable === true;
}

/** Whether earlier steps of an episode have a say in what decides. */
export function votes(modulation: ModulationConfig): boolean {
  return isPool(modulation) && modulation.voteSteps !== undefined;
}

/** Keys that one window falls on. */
export function selectedCount(modulation: PoolModulation): number {
  return modulation.kind === 'prompt-pool' ? modulation.selected : 1;
}

/**
 * Refuses sizes that no modulation can have, such as more keys to select than there are.
 *
 * @throws AgentError L2M_CONFIG_INVALID, naming the field
 */
export function checkModulationConfig(modulation: ModulationConfig): void {
  for (const [name, value] of Object.entries(modulation) as [string, number | string | true][]) {
    if (typeof value !== 'number' || name === 'scaling' || name === 'unknownBelow') continue;
    if (!Number.isInteger(value) || value < 1 || value > 65_536) {
      throw new AgentError('L2M_CONFIG_INVALID', `modulation.${name} is ${value}, not a whole number in 1..65536`);
    }
  }
  if (!isPool(modulation)) return;
  if (modulation.keyCount !== modulation.poolSize && modulation.keyTable !== true) {
    const got = `modulation.keyCount ${modulation.keyCount} for modulation.poolSize ${modulation.poolSize} without a modulation.keyTable`;
    throw new AgentError('L2M_CONFIG_INVALID', got);
  }
  checkSelection(modulation);
  const groupSize = Math.floor(modulation.keyCount / (modulation.taskGroups ?? 1));
  const wanted = selectedCount(modulation);
  if (groupSize < wanted) {
    const got = `modulation.keyCount ${modulation.keyCount} gives each task ${groupSize} keys, of which ${wanted} are selected`;
    throw new AgentError('L2M_CONFIG_INVALID', got);
  }
}

function checkSelection(modulation: PoolModulation): void {
  const { unknownBelow, voteSteps, keyTable, byLayout, taskGroups } = modulation;
  if (byLayout === true && (keyTable !== true || taskGroups !== undefined)) {
    const got = `modulation.byLayout ${keyTable === true ? 'beside modulation.taskGroups' : 'without a modulation.keyTable'}`;
    throw new AgentError('L2M_CONFIG_INVALID', got);
  }
  if (unknownBelow !== undefined && (keyTable !== true || !(unknownBelow > -1 && unknownBelow < 1))) {
    const got = `modulation.unknownBelow ${unknownBelow}${keyTable === true ? '' : ' without a modulation.keyTable'}`;
    throw new AgentError('L2M_CONFIG_INVALID', got);
  }
  if (voteSteps !== undefined && selectedCount(modulation) > 1) {
    throw new AgentError('L2M_CONFIG_INVALID', 'modulation.voteSteps for windows that get several keys');
  }
}
