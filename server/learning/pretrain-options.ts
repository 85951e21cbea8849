import { MODEL_PRESETS, PAPER_OPTIONS, checkModelConfig } from '../../agent/config.ts';
import type { ModelConfig, ModulationConfig, PolicyOptions } from '../../agent/config.ts';
import { REFERENCE_DROPOUT, type DropoutRates } from '../../agent/learning/dropout.ts';
import type { TrainableSet } from '../../agent/learning/trainable.ts';
import type { WeightStorage } from '../checkpoints/manifest.ts';
import { L2mError } from '../errors.ts';
import type { BackendOptions } from '../tensors/backend.ts';

/** How long to train. The learning rate falls along a cosine over it. */
export type TrainingBudget =
  { readonly kind: 'updates'; readonly updates: number } | { readonly kind: 'minutes'; readonly minutes: number };

/** Settings that decide what the weights become; a resumed training must have the same. */
export interface PretrainSettings {
  /** Trajectory files; see `findTrajectoryFiles`. */
  readonly files: readonly string[];
  readonly model: ModelConfig;
  /** The untouched pool that the checkpoint gets beside the trained model: it changes nothing until something is learned into it. */
  readonly modulation: ModulationConfig;
  /** Windows of one batch. */
  readonly batchSize: number;
  /** Batches whose mean gradient makes one update (2 in the paper). */
  readonly accumulate: number;
  readonly budget: TrainingBudget;
  /** Peak, after the warm-up. */
  readonly learningRate: number;
  /** At the end of the budget. */
  readonly finalLearningRate: number;
  readonly warmUpUpdates: number;
  readonly weightDecay: number;
  readonly seed: number;
  /** Beyond the paper: states to mean 0 and deviation 1 a dimension, by domain. */
  readonly standardise: boolean;
  /** Beyond the paper: decode to the middle of a bin. */
  readonly binCentres: boolean;
  /** Beyond the paper: see `PolicyOptions.restartAtHorizon`. */
  readonly restartAtHorizon: PolicyOptions['restartAtHorizon'];
  /** Batches from one domain each, in turn, as in the paper; false draws from all transitions alike. */
  readonly alternateDomains: boolean;
  /** Beyond the paper: how often windows are drawn that begin after the first success or a lasting high reward, against 1 for all others. */
  readonly afterSuccessWeight: number;
  /** Beyond the paper: see `WindowSamplerOptions.observationNoise`. */
  readonly observationNoise?: number;
  /** Beyond the paper: see `WindowSamplerOptions.lateShare`. */
  readonly lateShare?: number;
  /** Share of episodes kept back to measure the loss on. */
  readonly heldOutShare: number;
  /** Checkpoint whose model the weights start from; absent: drawn at random. */
  readonly initialiseFrom?: string;
  /** What learns; absent: all of the model. The rest is proven unchanged. `pool` and `modulators` learn `modulation`. */
  readonly trainable?: TrainableSet;
  /** Pull of keys towards queries while a pool learns; 0.5, the paper's, if absent. */
  readonly pullWeight?: number;
  /** Off if absent; `REFERENCE_DROPOUT` is the reference's. Held-out losses are measured without. */
  readonly dropout?: DropoutRates;
  /** Keeps dropout out of frozen weights, which the reference does not by default (spec §1.7): it is then on only where all of the model learns. */
  readonly frozenEval?: boolean;
  /**
   * As the reference counts: rates by micro-step, and a first update after one batch that is divided all the same (spec §5.4).
   * Absent, or with a budget in minutes: rates by progress, whole updates.
   */
  readonly referenceTicks?: boolean;
}

/** Everything about one call of `pretrain`. */
export interface PretrainOptions extends PretrainSettings {
  /** Name of the training and of its checkpoint. */
  readonly name: string;
  /** Where state, log and metrics of this training lie: `<data>/training/<name>`. */
  readonly trainingFolder: string;
  /** Where the checkpoint goes: `<data>/checkpoints/<name>`. */
  readonly checkpointFolder: string;
  /** Go on with the state in the training folder. Without, a folder with a state is refused. */
  readonly resume: boolean;
  /** Start over although there is a state or a checkpoint. */
  readonly overwrite: boolean;
  readonly storage: WeightStorage;
  readonly backend: BackendOptions;
  readonly saveEveryMinutes: number;
  readonly reportEverySeconds: number;
  /** Updates between two checkpoints that are kept beside the state until somebody has looked at them; none if absent. */
  readonly snapshotEveryUpdates?: number;
  /** What a person typed, for the manifest. */
  readonly command: string;
  /** Git commit of the program, or `unknown`. */
  readonly commit: string;
}

/** Settings for a small machine, all options beyond the paper that help there switched on. */
export const SMALL_PRETRAINING = {
  model: MODEL_PRESETS.tiny,
  modulation: { kind: 'none' },
  batchSize: 128,
  accumulate: 1,
  budget: { kind: 'minutes', minutes: 40 },
  learningRate: 1e-3,
  finalLearningRate: 1e-5,
  warmUpUpdates: 200,
  weightDecay: 0.01,
  seed: 42,
  standardise: true,
  binCentres: true,
  restartAtHorizon: { metaworld: 200, dmcontrol: null },
  alternateDomains: false,
  afterSuccessWeight: 0.25,
  heldOutShare: 0.02,
} as const satisfies Omit<PretrainSettings, 'files'>;

/** The paper's pre-training (spec §5.4), counted in updates of two batches. */
export const PAPER_PRETRAINING_SETTINGS = {
  model: MODEL_PRESETS.paper,
  modulation: { kind: 'lora', poolSize: 30, keyCount: 30, rank: 8, scaling: 2 },
  batchSize: 256,
  accumulate: 2,
  budget: { kind: 'updates', updates: 500_000 },
  learningRate: 1e-4,
  finalLearningRate: 1e-6,
  warmUpUpdates: 2000,
  weightDecay: 0.01,
  seed: 42,
  standardise: false,
  binCentres: false,
  restartAtHorizon: null,
  alternateDomains: true,
  afterSuccessWeight: 1,
  heldOutShare: 0,
  referenceTicks: true,
  dropout: REFERENCE_DROPOUT,
} as const satisfies Omit<PretrainSettings, 'files'>;

/** The policy's options in the checkpoint of a training. */
export function policyOptionsOf(
  { binCentres, restartAtHorizon }: PretrainSettings,
  standardise: PolicyOptions['standardise'],
): PolicyOptions {
  return { ...PAPER_OPTIONS, binCentres, restartAtHorizon, ...(standardise === undefined ? {} : { standardise }) };
}

/**
 * Refuses settings that cannot work, before any data is read.
 * @throws L2mError or AgentError L2M_CONFIG_INVALID naming the setting
 */
export function checkPretrainOptions(options: PretrainOptions): void {
  checkModelConfig(options.model);
  const amount = options.budget.kind === 'updates' ? options.budget.updates : options.budget.minutes;
  const rules: readonly (readonly [string, number, boolean])[] = [
    ['batch', options.batchSize, Number.isInteger(options.batchSize) && options.batchSize >= 1],
    ['accumulate', options.accumulate, Number.isInteger(options.accumulate) && options.accumulate >= 1],
    [options.budget.kind, amount, amount > 0 && (options.budget.kind === 'minutes' || Number.isInteger(amount))],
    ['learning rate', options.learningRate, options.learningRate > 0 && options.learningRate < 1],
    ['final learning rate', options.finalLearningRate, options.finalLearningRate >= 0],
    ['warm-up', options.warmUpUpdates, Number.isInteger(options.warmUpUpdates) && options.warmUpUpdates >= 0],
    ['weight decay', options.weightDecay, options.weightDecay >= 0 && options.weightDecay < 1],
    ['seed', options.seed, Number.isSafeInteger(options.seed) && options.seed >= 0],
    [
      'weight after success',
      options.afterSuccessWeight,
      options.afterSuccessWeight > 0 && options.afterSuccessWeight <= 1,
    ],
    ['observation noise', options.observationNoise ?? 0, (options.observationNoise ?? 0) >= 0],
    ['share of late windows', options.lateShare ?? 0, (options.lateShare ?? 0) >= 0 && (options.lateShare ?? 0) <= 1],
    ['held-out share', options.heldOutShare, options.heldOutShare >= 0 && options.heldOutShare <= 0.5],
    ['bins', options.model.bins, options.model.bins <= 256],
  ];
  const broken = rules.find(([, , fits]) => !fits);
  if (broken !== undefined) throw new L2mError('L2M_CONFIG_INVALID', `${broken[0]} is ${broken[1]}`);
  const { trainable = 'model', modulation } = options;
  if ((trainable === 'pool' || trainable === 'modulators') && modulation.kind === 'none') {
    throw new L2mError('L2M_CONFIG_INVALID', `a training of the ${trainable} without a modulation`);
  }
  if (options.files.length === 0)
    throw new L2mError('L2M_CONFIG_INVALID', 'there are no trajectory files to learn from');
}
