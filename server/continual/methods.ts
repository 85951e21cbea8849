import {
  isPool,
  METHOD_PRESETS,
  type ModelConfig,
  type ModulationConfig,
  type QueryVariant,
} from '../../agent/config.ts';
import { REFERENCE_PENALTY, type PenaltySettings } from '../../agent/learning/penalty.ts';
import type { TrainableSet } from '../../agent/learning/trainable.ts';
import { L2mError, unknownNameError } from '../errors.ts';

/** What a method decides beside its settings. Flags that are absent are off. */
export interface ContinualMethod {
  /** One line for a person. */
  readonly what: string;
  /** What learns; `modulators` leaves the keys of a pool alone. */
  readonly trainable: TrainableSet;
  readonly modulation: ModulationConfig;
  /** Peak for a small machine; the paper has one for all. */
  readonly learningRate: number;
  /** While learning a later task keys used before weigh little (spec §3.3). */
  readonly countPenalty?: true;
  /** The true task decides which keys are searched, in learning and in evaluation (spec §3.7). */
  readonly oracle?: true;
  /** Keys are fitted to queries at each switch of tasks, and one row of the pool learns (beyond the paper). */
  readonly fittedKeys?: true;
  readonly penalty?: PenaltySettings;
  /** A share of each batch comes from episodes of earlier tasks. */
  readonly replay?: true;
  /** All tasks at once: the upper bound. */
  readonly joint?: true;
}

/** At 2e-3 keys drift at switches and selection with them: 0.15 instead of 0.63 after four tasks (test/bench/continual.md). */
const POOL = { trainable: 'pool', countPenalty: true, learningRate: 5e-4 } as const;
const SINGLE = { trainable: 'pool', learningRate: 1e-3 } as const;
const WEIGHTS = { modulation: METHOD_PRESETS.none, learningRate: 3e-4 } as const;
const LORA = METHOD_PRESETS['l2m-lora'];

/** Every method by name: the paper's (spec §3, §4), and fitted keys, experience replay and joint training beyond it. */
export const CONTINUAL_METHODS = {
  'l2m-lora': { ...POOL, what: 'L2M: a pool of LoRA modulators, chosen by the state', modulation: LORA },
  'l2m-ia3': { ...POOL, what: 'L2M with (IA)³ modulators', modulation: METHOD_PRESETS['l2m-ia3'] },
  'l2m-oracle': { ...POOL, what: 'L2M that is told the task', modulation: LORA, oracle: true },
  'fitted-keys': {
    what: 'beyond the paper: identity keys for what the model can do, keys fitted to each new task',
    ...{ trainable: 'modulators', modulation: LORA, learningRate: 1e-3, fittedKeys: true },
  },
  lora: { ...SINGLE, what: 'one LoRA modulator for all tasks', modulation: METHOD_PRESETS.lora },
  ia3: { ...SINGLE, what: 'one (IA)³ modulator for all tasks', modulation: METHOD_PRESETS.ia3 },
  adapter: { ...SINGLE, what: 'bottlenecks in every block', modulation: METHOD_PRESETS.adapter },
  'prompt-tuning': { ...SINGLE, what: 'learned tokens before the window', modulation: METHOD_PRESETS['prompt-tuning'] },
  'p-tuning-v2': { ...SINGLE, what: 'learned tokens before every block', modulation: METHOD_PRESETS['p-tuning-v2'] },
  'prefix-tuning': { ...SINGLE, what: 'learned keys and values', modulation: METHOD_PRESETS['prefix-tuning'] },
  'l2p-pt': { ...POOL, what: 'a pool of prompts before the window', modulation: METHOD_PRESETS['l2p-pt'] },
  'l2p-pv2': { ...POOL, what: 'a pool of prompts before every block', modulation: METHOD_PRESETS['l2p-pv2'] },
  'l2p-pret': { ...POOL, what: 'a pool of keys and values', modulation: METHOD_PRESETS['l2p-pret'] },
  head: { ...WEIGHTS, what: 'the action head alone', trainable: 'head' },
  'last-block': { ...WEIGHTS, what: 'the last block alone', trainable: 'last-block' },
  'last-block-and-head': { ...WEIGHTS, what: 'the last block and the head', trainable: 'last-block-and-head' },
  full: { ...WEIGHTS, what: 'all weights of the model', trainable: 'model' },
  ewc: { ...WEIGHTS, what: 'all weights, held by Fisher information', trainable: 'model', penalty: REFERENCE_PENALTY },
  l2: {
    ...{ ...WEIGHTS, what: 'all weights, held where the last task left them', trainable: 'model' },
    penalty: { ...REFERENCE_PENALTY, kind: 'l2' },
  },
  replay: { ...WEIGHTS, what: 'all weights, and episodes of earlier tasks', trainable: 'model', replay: true },
  joint: { ...WEIGHTS, what: 'all weights, all tasks at once (upper bound)', trainable: 'model', joint: true },
} as const satisfies Record<string, ContinualMethod>;
export type MethodName = keyof typeof CONTINUAL_METHODS;

/** What a preset takes where no method is named: fitted keys forget least (test/bench/continual.md), the paper's is its own. */
export const DEFAULT_METHODS = { 'small-machine': 'fitted-keys', paper: 'l2m-lora' } as const satisfies Record<
  string,
  MethodName
>;

/** Other names for some of them. */
const ALIASES: Readonly<Record<string, MethodName>> = { paper: 'l2m-lora', l2m: 'l2m-lora', er: 'replay', ft: 'full' };

/**
 * A method by what a person typed.
 * @throws L2mError L2M_CONFIG_INVALID with the nearest name
 */
export function methodNamed(typed: string): MethodName {
  const name = typed.trim().toLowerCase();
  const known = Object.keys(CONTINUAL_METHODS) as MethodName[];
  const found = known.find((method) => method === name) ?? (Object.hasOwn(ALIASES, name) ? ALIASES[name] : undefined);
  if (found === undefined) throw unknownNameError('L2M_CONFIG_INVALID', typed, [...known, ...Object.keys(ALIASES)]);
  return found;
}

/** The paper's bottleneck has 48 units at width 768. */
const ADAPTER_REDUCTION = 16;

export interface LayoutOptions {
  readonly model: ModelConfig;
  /** Different tasks of the sequence, and tasks that are only evaluated. */
  readonly tasks: number;
  readonly others: number;
  readonly identityKeys: number;
  readonly keysPerTask: number;
  /** What settings change of the method's own modulation. */
  readonly changes?: ModulationChanges;
}

/** What is left out or changed to find out what it is good for; absent: as the method has it. */
export interface ModulationChanges {
  readonly poolSize?: number;
  /** Of LoRA; the scaling is the paper's alpha of 16 by it. */
  readonly rank?: number;
  /** Of LoRA modulators in a pool: they change the embedding of states and the head, too (`EndModulators`). */
  readonly ends?: true;
  /** Keys that earlier tasks used weigh as much as others (spec §3.3, item 4 left out). */
  readonly countPenalty?: false;
  /** Every task begins with moments of zero, so that what only earlier tasks used stays as they left it; rows of fitted keys always do. */
  readonly freshOptimiser?: true;
  /** Of fitted keys: see `PoolSizes`. Theirs unless it is false; absent in trainings from before it was there, which go on without. */
  readonly byLayout?: boolean;
  readonly query?: QueryVariant;
  /** See `PoolSizes`; in decisions only, as is the next. */
  readonly voteSteps?: number;
  readonly unknownBelow?: number;
}

/** Alpha of the paper's LoRA: scaling is alpha / rank. */
const LORA_ALPHA = 16;

/**
 * What modulates the model at the end of a sequence, fitted to the sizes of the model and to the number of tasks.
 *
 * The oracle's groups have floor(P / tasks) keys as in spec §3.7; each task that is only evaluated gets a further group, whose modulators
 * never learn and therefore change nothing. Fitted keys have one row for the identity and one for each task.
 */
export function modulationOf(method: ContinualMethod, layout: LayoutOptions): ModulationConfig {
  const modulation = changedModulation(method, layout.changes ?? {});
  if (modulation.kind === 'adapter') {
    return { ...modulation, units: Math.max(1, Math.round(layout.model.width / ADAPTER_REDUCTION)) };
  }
  if (modulation.kind !== 'lora') return modulation;
  if (method.oracle === true) {
    const groups = layout.tasks + layout.others;
    const count = Math.max(1, Math.floor(modulation.poolSize / layout.tasks)) * groups;
    return { ...modulation, poolSize: count, keyCount: count, taskGroups: groups };
  }
  if (method.fittedKeys !== true) return modulation;
  const keyCount = layout.identityKeys + layout.tasks * layout.keysPerTask;
  const byLayout = layout.changes?.byLayout === true ? ({ byLayout: true } as const) : {};
  return { ...modulation, poolSize: 1 + layout.tasks, keyCount, keyTable: true, ...byLayout };
}

/** @throws L2mError L2M_CONFIG_INVALID for a setting that would change nothing in this method */
export function changedModulation(method: ContinualMethod, changes: ModulationChanges): ModulationConfig {
  const { modulation } = method;
  const { poolSize, rank, countPenalty, freshOptimiser, byLayout, ...selection } = changes;
  const hasRank = modulation.kind === 'lora' || modulation.kind === 'single-lora';
  const rules: readonly (readonly [string, unknown, boolean])[] = [
    ['--pool-size', poolSize, isPool(modulation) && method.fittedKeys !== true],
    ['--rank', rank, hasRank],
    ['--modulate-ends', selection.ends, modulation.kind === 'lora'],
    ['--no-count-penalty', countPenalty, method.countPenalty === true],
    ['--fresh-optimiser', freshOptimiser, method.fittedKeys !== true],
    ['--all-layouts', byLayout, method.fittedKeys === true],
    ['--query', selection.query, isPool(modulation)],
    ['--vote-steps', selection.voteSteps, isPool(modulation)],
    ['--unknown-below', selection.unknownBelow, method.fittedKeys === true],
  ];
  const idle = rules.find(([, value, applies]) => value !== undefined && !applies);
  if (idle !== undefined) {
    throw new L2mError('L2M_CONFIG_INVALID', `${idle[0]} for a method that has no such thing (${method.what})`, {
      hint: 'Leave it out, or sweep over the methods that have it.',
    });
  }
  const ranked = hasRank && rank !== undefined ? { ...modulation, rank, scaling: LORA_ALPHA / rank } : modulation;
  if (!isPool(ranked)) return ranked;
  return { ...ranked, ...(poolSize === undefined ? {} : { poolSize, keyCount: poolSize }), ...selection };
}

/** Those of all settings. */
export function changesOf(settings: ModulationChanges): ModulationChanges {
  const { poolSize, rank, ends, query, voteSteps, unknownBelow, countPenalty, freshOptimiser, byLayout } = settings;
  const all = { poolSize, rank, ends, query, voteSteps, unknownBelow, countPenalty, freshOptimiser, byLayout };
  return Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined));
}
