import type { Command } from 'commander';
import { join } from 'node:path';
import { MODEL_PRESETS, PAPER_MODULATION, type ModelPreset } from '../../agent/config.ts';
import { REFERENCE_DROPOUT } from '../../agent/learning/dropout.ts';
import { TRAINABLE_SETS, type TrainableSet } from '../../agent/learning/trainable.ts';
import { expandTasks } from '../../agent/tasks/expand-tasks.ts';
import { policyConfigOf } from '../checkpoints/manifest.ts';
import { readManifest } from '../checkpoints/read-checkpoint.ts';
import { L2mError } from '../errors.ts';
import { pretrain } from '../learning/pretrain.ts';
import type { PretrainEvent, PretrainProgress } from '../learning/pretrain-events.ts';
import {
  SMALL_PRETRAINING,
  PAPER_PRETRAINING_SETTINGS,
  type PretrainOptions,
  type TrainingBudget,
} from '../learning/pretrain-options.ts';
import { findTrajectoryFiles } from '../learning/training-data.ts';
import { currentProvenance } from '../provenance.ts';
import { backendOptionsOf } from './backend-options.ts';
import { addConfigOptions, configOf } from './config-options.ts';
import { numberWithin, oneOf, wholeNumber } from './option-values.ts';
import { ProgressLine, durationText } from './progress-line.ts';
import { saveOnSignal } from './save-on-signal.ts';

interface PretrainCommandOptions extends Record<string, unknown> {
  readonly tasks: string;
  readonly source: string;
  readonly name: string;
  readonly preset: 'small-machine' | 'paper';
  readonly size?: ModelPreset;
  readonly minutes?: number;
  readonly updates?: number;
  readonly batch?: number;
  readonly learningRate?: number;
  readonly seed?: number;
  readonly from?: string;
  readonly trainable?: TrainableSet;
  readonly dropout?: true;
  readonly resume?: true;
  readonly overwrite?: true;
}

/** `l2m pretrain`: the decision transformer from collected trajectories, in a process of its own, resumable. */
export function addPretrainCommand(program: Command, outcome: { exitCode: number }): void {
  const command = program
    .command('pretrain')
    .description('pre-train the decision transformer on collected trajectories')
    .option('--name <name>', 'name of the training and of its checkpoint', 'model')
    .option('--tasks <list>', 'tasks and groups to learn from', 'MT10')
    .option('--source <name>', 'name of the data set', 'expert')
    .option(
      '--preset <name>',
      'small-machine, or paper (spec §5.4)',
      oneOf(['small-machine', 'paper'] as const),
      'small-machine',
    )
    .option('--size <name>', 'tiny, small, medium or paper', oneOf(Object.keys(MODEL_PRESETS) as ModelPreset[]))
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
    .option('--dropout', 'drop values while learning, at the rates of the paper')
    .option('--resume', 'go on where this training was')
    .option('--overwrite', 'start over although this training exists');
  addConfigOptions(command, ['data', 'backend', 'threads', 'precision']).addHelpText(
    'after',
    '\nExamples:\n' +
      '  $ npx l2m collect --tasks MT10 --episodes 200\n' +
      '  $ npx l2m pretrain --tasks MT10 --name mt10 --minutes 40\n' +
      '  $ npx l2m evaluate --tasks MT10 --checkpoint data/checkpoints/mt10\n' +
      '  $ npx l2m pretrain --from data/checkpoints/mt10 --trainable pool --tasks hammer-v3 --name hammer\n' +
      '\nCtrl-C saves; --resume goes on from there.\n',
  );
  command.action(async (options: PretrainCommandOptions) => {
    outcome.exitCode = await run(options);
  });
}

async function run(options: PretrainCommandOptions): Promise<number> {
  const progress = new ProgressLine();
  const stop = saveOnSignal(progress);
  try {
    const result = await pretrain(await pretrainOptions(options), {
      onEvent: (event) => show(progress, event),
      signal: stop.signal,
    });
    progress.end();
    const held = result.heldOutLoss === null ? '' : `, ${result.heldOutLoss.toFixed(4)} on held-out episodes`;
    process.stdout.write(
      `${result.outcome} after ${result.update} updates, loss ${result.loss.toFixed(4)}${held}\n${result.checkpoint}\n`,
    );
    return result.outcome === 'finished' ? 0 : 130;
  } finally {
    progress.end();
    stop.release();
  }
}

async function pretrainOptions(options: PretrainCommandOptions): Promise<PretrainOptions> {
  const config = configOf(options);
  const preset = options.preset === 'paper' ? PAPER_PRETRAINING_SETTINGS : SMALL_PRETRAINING;
  const { gitCommit } = currentProvenance({}, undefined);
  return {
    ...preset,
    modulation: PAPER_MODULATION,
    files: await findTrajectoryFiles(
      join(config.data, 'trajectories'),
      expandTasks(options.tasks.split(',')),
      options.source,
    ),
    ...(options.size === undefined ? {} : { model: MODEL_PRESETS[options.size] }),
    budget: budgetOf(options) ?? preset.budget,
    ...(options.batch === undefined ? {} : { batchSize: options.batch }),
    ...(options.learningRate === undefined ? {} : { learningRate: options.learningRate }),
    ...(options.seed === undefined ? {} : { seed: options.seed }),
    ...(options.from === undefined ? {} : { initialiseFrom: options.from }),
    ...(options.trainable === undefined ? {} : await tuningOf(options.trainable, options.from)),
    ...(options.dropout === true ? { dropout: REFERENCE_DROPOUT } : {}),
    name: options.name,
    trainingFolder: join(config.data, 'training', options.name),
    checkpointFolder: join(config.data, 'checkpoints', options.name),
    resume: options.resume === true,
    overwrite: options.overwrite === true,
    storage: 'float16',
    backend: backendOptionsOf(config),
    saveEveryMinutes: 5,
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

function budgetOf({ minutes, updates }: PretrainCommandOptions): TrainingBudget | undefined {
  if (minutes !== undefined && updates !== undefined) {
    throw new L2mError('L2M_CONFIG_INVALID', 'both --minutes and --updates are given', { hint: 'Give one of them.' });
  }
  if (minutes !== undefined) return { kind: 'minutes', minutes };
  return updates === undefined ? undefined : { kind: 'updates', updates };
}

function show(progress: ProgressLine, event: PretrainEvent): void {
  switch (event.type) {
    case 'preparing':
      progress.note(event.what);
      return;
    case 'started':
      progress.note(
        `${event.parameterCount} parameters, ${event.episodes} episodes, ${event.transitions} transitions; ${event.backend}` +
          (event.update > 0 ? `; going on after ${event.update} updates` : ''),
      );
      return;
    case 'progress':
      progress.update(progressText(event));
      return;
    case 'saved':
      progress.note(`saved after ${event.update} updates`);
      return;
  }
}

/** `update 1200, 31 %, loss 1.2031, rate 9.6e-4, 612 windows/s, 27 min 10 s left` */
export function progressText(event: PretrainProgress): string {
  const held = event.heldOutLoss === undefined ? '' : ` (held out ${event.heldOutLoss.toFixed(4)})`;
  return [
    `update ${event.update}`,
    `${Math.round(100 * event.progress)} %`,
    `loss ${event.loss.toFixed(4)}${held}`,
    `rate ${event.learningRate.toExponential(1)}`,
    `${event.windowsPerSecond.toFixed(0)} windows/s`,
    `${durationText(event.secondsLeft)} left`,
  ].join(', ');
}
