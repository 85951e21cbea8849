import type { Command } from 'commander';
import { join } from 'node:path';
import { MODEL_PRESETS, PAPER_MODULATION, type ModelPreset } from '../../agent/config.ts';
import { REFERENCE_DROPOUT } from '../../agent/learning/dropout.ts';
import { TRAINABLE_SETS, type TrainableSet } from '../../agent/learning/trainable.ts';
import { expandTasks } from '../../agent/tasks/expand-tasks.ts';
import type { EvaluationProtocol } from '../../protocol/task.ts';
import { policyConfigOf } from '../checkpoints/manifest.ts';
import { readManifest } from '../checkpoints/read-checkpoint.ts';
import { L2mError } from '../errors.ts';
import type { PretrainOptions, TrainingBudget } from '../learning/pretrain-options.ts';
import { PRETRAIN_PRESETS, type PretrainPreset } from '../learning/pretrain-presets.ts';
import { findTrajectoryFiles } from '../learning/training-data.ts';
import { currentProvenance } from '../provenance.ts';
import { backendOptionsOf } from './backend-options.ts';
import { addConfigOptions, configOf } from './config-options.ts';
import { numberList, numberWithin, oneOf, wholeNumber } from './option-values.ts';
import { withPastActions } from './past-actions.ts';

/** What `l2m pretrain` was given. */
export interface PretrainFlags extends Record<string, unknown> {
  readonly tasks: string;
  readonly source: string;
  readonly name: string;
  readonly preset: PretrainPreset;
  readonly size?: ModelPreset;
  readonly minutes?: number;
  readonly updates?: number;
  readonly batch?: number;
  readonly learningRate?: number;
  readonly seed?: number;
  readonly from?: string;
  readonly trainable?: TrainableSet;
  readonly dropout?: true;
  readonly standardise: boolean;
  readonly binCentres: boolean;
  readonly afterSuccess?: number;
  readonly alternateDomains?: true;
  readonly hidePastActions?: true;
  readonly showPastActions?: true;
  readonly observationWaves?: readonly number[];
  readonly observationNoise?: number;
  readonly late?: number;
  readonly evaluateEvery?: number;
  readonly evaluateTasks?: string;
  readonly evaluateEpisodes: number;
  readonly evaluateProtocol: EvaluationProtocol;
  readonly patience?: number;
  readonly saveEvery: number;
  readonly quick?: true;
  readonly json?: string;
  readonly accumulate?: number;
  readonly frozenEval?: true;
  readonly serve?: true;
  readonly resume?: true;
  readonly overwrite?: true;
}
const SETTINGS = [
  ...(['data', 'backend', 'threads', 'precision'] as const),
  ...(['workers', 'environments', 'restartBudget', 'logLevel', 'port'] as const),
];

/** The options of `l2m pretrain`, settings of the server included. */
export function addPretrainFlags(command: Command): Command {
  command
    .option('--name <name>', 'name of the training and of its checkpoint', 'model')
    .option('--tasks <list>', 'tasks and groups to learn from', 'MT10')
    .option('--source <list>', 'names of the data sets of each task, such as expert,advised', 'expert')
    .option(
      '--preset <name>',
      'tiny, small or medium, with what helps on a small machine; paper: all as in the paper',
      oneOf(Object.keys(PRETRAIN_PRESETS) as PretrainPreset[]),
      'tiny',
    )
    .option(
      '--size <name>',
      "another size with the preset's settings",
      oneOf(Object.keys(MODEL_PRESETS) as ModelPreset[]),
    )
    .option('--minutes <number>', 'train for so long', numberWithin(0.01, 100_000))
    .option('--updates <number>', 'train for so many updates', wholeNumber(1, 100_000_000))
    .option('--batch <number>', 'windows of one batch', wholeNumber(1, 4096))
    .option('--learning-rate <number>', 'peak, after the warm-up', numberWithin(0, 1))
    .option('--seed <number>', 'seed of weights and windows', wholeNumber(0, 0xffffffff))
    .option('--from <folder>', 'start from the weights of this checkpoint')
    .option(
      '--trainable <set>',
      `what learns: ${TRAINABLE_SETS.join(', ')}; the rest stays as it is`,
      oneOf(TRAINABLE_SETS),
    )
    .option('--accumulate <number>', 'batches whose mean gradient makes one update', wholeNumber(1, 1024))
    .option('--frozen-eval', 'no dropout in weights that do not learn')
    .option('--dropout', 'drop values while learning, at the rates of the paper')
    .option('--no-standardise', 'raw states, as in the paper')
    .option('--no-bin-centres', 'actions decode to the lower edge of their bin, as in the paper')
    .option(
      '--after-success <weight>',
      'how often windows after success, or a lasting high reward, are drawn (default: by preset)',
      numberWithin(0, 1),
    )
    .option(
      '--hide-past-actions',
      'actions follow from states, returns and rewards alone: nothing to copy (default, but for --preset paper and --from)',
    )
    .option('--show-past-actions', 'past actions are seen, too, as in the paper')
    .option(
      '--observation-waves <list>',
      'sines and cosines of state values at these frequencies, such as 3,12',
      numberList(0.01, 1000),
    )
    .option('--alternate-domains', 'batches of one domain each, in turn, as in the paper')
    .option('--observation-noise <number>', 'deviation of noise on scaled states', numberWithin(0, 10))
    .option('--late <share>', 'windows shown as if they had come later, with less gathered before', numberWithin(0, 1))
    .option('--evaluate-every <number>', 'updates between two evaluations on simulators', wholeNumber(1, 100_000_000))
    .option('--evaluate-tasks <list>', 'what is evaluated (default: what is learned from)')
    .option('--evaluate-episodes <number>', 'episodes of each task', wholeNumber(1, 1000), 5)
    .option(
      '--evaluate-protocol <name>',
      'official-v3 or l2m-paper',
      oneOf<EvaluationProtocol>(['official-v3', 'l2m-paper']),
      'l2m-paper',
    )
    .option('--patience <number>', 'stop after so many evaluations without a better one', wholeNumber(1, 1000))
    .option('--save-every <minutes>', 'how much a killed training may lose', numberWithin(0.001, 1000), 5)
    .option(
      '--quick',
      'the whole way in minutes: collect, train an expert, learn from both suites, compare with chance',
    )
    .option('--json <file>', 'write the result of --quick as JSON')
    .option('--serve', 'serve the page meanwhile; needs --evaluate-every or --quick')
    .option('--resume', 'go on where this training was')
    .option('--overwrite', 'start over although this training exists');
  return addConfigOptions(command, SETTINGS);
}

/**
 * The settings of a training, from what was given: what the preset says, but for what was given.
 * @throws L2mError L2M_CONFIG_INVALID where flags contradict each other.
 */
export async function pretrainOptions(options: PretrainFlags): Promise<PretrainOptions> {
  const config = configOf(options);
  for (const name of ['patience', 'evaluateTasks', 'serve'] as const) {
    if (options[name] === undefined || options.evaluateEvery !== undefined) continue;
    throw new L2mError('L2M_CONFIG_INVALID', `--${name.replace('T', '-t')} without --evaluate-every`, {
      hint: 'Say with --evaluate-every after how many updates the simulators evaluate.',
    });
  }
  const preset = PRETRAIN_PRESETS[options.preset];
  const model = options.size === undefined ? preset.model : MODEL_PRESETS[options.size];
  const { gitCommit } = currentProvenance({}, undefined);
  return {
    ...preset,
    modulation: PAPER_MODULATION,
    files: await findTrajectoryFiles(
      join(config.data, 'trajectories'),
      expandTasks(options.tasks.split(',')),
      options.source,
    ),
    model: {
      ...(await withPastActions(model, options)),
      ...(options.observationWaves === undefined ? {} : { observationWaves: options.observationWaves }),
    },
    budget: budgetOf(options) ?? preset.budget,
    ...(options.accumulate === undefined ? {} : { accumulate: options.accumulate }),
    ...(options.frozenEval === true ? { frozenEval: true } : {}),
    ...(options.batch === undefined ? {} : { batchSize: options.batch }),
    ...(options.learningRate === undefined ? {} : { learningRate: options.learningRate }),
    ...(options.seed === undefined ? {} : { seed: options.seed }),
    ...(options.from === undefined ? {} : { initialiseFrom: options.from }),
    ...(options.trainable === undefined ? {} : await tuningOf(options.trainable, options.from)),
    ...(options.standardise ? {} : { standardise: false }),
    ...(options.binCentres ? {} : { binCentres: false }),
    ...(options.afterSuccess === undefined ? {} : { afterSuccessWeight: options.afterSuccess }),
    ...(options.alternateDomains === true ? { alternateDomains: true } : {}),
    ...(options.observationNoise === undefined ? {} : { observationNoise: options.observationNoise }),
    ...(options.late === undefined ? {} : { lateShare: options.late }),
    ...(options.dropout === true ? { dropout: REFERENCE_DROPOUT } : {}),
    name: options.name,
    trainingFolder: join(config.data, 'training', options.name),
    checkpointFolder: join(config.data, 'checkpoints', options.name),
    resume: options.resume === true,
    overwrite: options.overwrite === true,
    storage: 'float16',
    backend: backendOptionsOf(config),
    saveEveryMinutes: options.saveEvery,
    reportEverySeconds: 5,
    command: `npx l2m ${process.argv.slice(2).join(' ')}`,
    commit: gitCommit ?? 'unknown',
  };
}

/** Sizes, modulators and options of a policy of which a part learns on are those it has. */
async function tuningOf(trainable: TrainableSet, from: string | undefined): Promise<Partial<PretrainOptions>> {
  if (from === undefined) {
    throw new L2mError('L2M_CONFIG_INVALID', `--trainable ${trainable} without --from`, {
      hint: 'Say with --from which checkpoint the weights come from.',
    });
  }
  const { model, modulation, options } = policyConfigOf(await readManifest(from));
  return {
    trainable,
    model,
    modulation: modulation.kind === 'none' ? PAPER_MODULATION : modulation,
    binCentres: options.binCentres,
    restartAtHorizon: options.restartAtHorizon,
  };
}

function budgetOf({ minutes, updates }: PretrainFlags): TrainingBudget | undefined {
  if (minutes !== undefined && updates !== undefined) {
    throw new L2mError('L2M_CONFIG_INVALID', 'both --minutes and --updates are given', { hint: 'Give one of them.' });
  }
  if (minutes !== undefined) return { kind: 'minutes', minutes };
  return updates === undefined ? undefined : { kind: 'updates', updates };
}
