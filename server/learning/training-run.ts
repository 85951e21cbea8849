import { join } from 'node:path';
import { policyConfigOf } from '../checkpoints/manifest.ts';
import { readCheckpoint, type Checkpoint } from '../checkpoints/read-checkpoint.ts';
import type { WeightArrays } from '../checkpoints/weights-file.ts';
import { describeBackend, startBackend } from '../tensors/backend.ts';
import { FrozenWeights } from './frozen-weights.ts';
import { methodShapes, type LearningMethod } from './learning-method.ts';
import { compileLoss } from './loss-graph.ts';
import { openMetricsLog } from './metrics-log.ts';
import type { PretrainEvent, PretrainResult } from './pretrain-events.ts';
import { checkPretrainOptions, policyOptionsOf, type PretrainOptions } from './pretrain-options.ts';
import { writePretrainedCheckpoint } from './pretrained-checkpoint.ts';
import type { TrainingHooks } from './serve-trainer.ts';
import { loadTrainingData, type TrainingData } from './training-data.ts';
import { trainingLoop, type LoopParts } from './training-loop.ts';
import { initialPool, initialWeights, stateToResume, trainingFingerprint } from './training-start.ts';
import { saveTrainingState } from './training-state.ts';
import { TrainingTensors } from './training-tensors.ts';
import { updateGraphInTurn } from './update-graph-in-turn.ts';
import { mostDimensions } from './learning-task.ts';
import { tasksInTurn, windowSampler } from './window-sampler.ts';

/** Lambda of the paper's pull of keys towards queries (spec §3.5). */
const PAPER_PULL_WEIGHT = 0.5;

/**
 * Pre-trains a model in this process: read data, compile, update until the budget is used up, saving on the way. Equal settings, data
 * and number of updates give equal weights on one machine, interrupted or not.
 * @throws L2mError L2M_CONFIG_INVALID, L2M_DATA_INVALID, L2M_CHECKPOINT_INVALID, L2M_RUN_MISMATCH, L2M_STORE_UNWRITABLE
 */
export async function runPretraining(
  options: PretrainOptions,
  hooks: TrainingHooks<PretrainEvent>,
): Promise<PretrainResult> {
  checkPretrainOptions(options);
  hooks.onEvent({ type: 'preparing', what: 'reading trajectories' });
  const read = await loadTrainingData(options);
  const fingerprint = trainingFingerprint(options, read);
  const saved = await stateToResume(options, fingerprint);
  const parent = options.initialiseFrom === undefined ? undefined : await readCheckpoint(options.initialiseFrom);
  const data = { ...read, standardise: tablesOf(options, { read, parent }) };
  const backend = await startBackend(options.backend);
  hooks.onEvent({ type: 'preparing', what: 'compiling the update' });
  const shapes = methodShapes(options.trainable ?? 'model', options);
  const first = { model: initialWeights(options, parent), pool: initialPool(options, parent) };
  const all = new Map([...first.model, ...first.pool]);
  const frozen = FrozenWeights.fromWeights(shapes.frozen, all);
  const tensors =
    saved === undefined
      ? TrainingTensors.fromWeights(shapes.trainable, all)
      : TrainingTensors.fromArrays(shapes.trainable, saved.arrays);
  const method: LearningMethod = {
    ...shapes,
    frozen: frozen.tensors,
    pullWeight: options.pullWeight ?? PAPER_PULL_WEIGHT,
    ...dropoutOfMethod(options),
  };
  const parts = compileParts(options, data, { tensors, method });
  const from = saved?.counters ?? { update: 0, elapsedMs: 0, lastLoss: 0 };
  const metrics = openMetricsLog(join(options.trainingFolder, 'metrics.jsonl'), from.update);
  hooks.onEvent({
    type: 'started',
    update: from.update,
    backend: describeBackend(backend),
    parameterCount: parameterCountOf(tensors),
    episodes: data.episodes,
    transitions: data.transitions,
  });

  let measured: Record<string, number> = {};
  const writeAt = async (checkpointFolder: string, update: number) => {
    const windows = update * options.batchSize * options.accumulate;
    // What neither learned nor took part, such as the pool beside a pre-trained model, stays as it began.
    const learned = new Map([...all, ...(await frozen.verified()), ...(await tensors.weights())]);
    const part = (began: WeightArrays) =>
      new Map([...began].map(([name, array]) => [name, learned.get(name) ?? array] as const));
    await writePretrainedCheckpoint(
      { ...options, checkpointFolder },
      {
        ...{ data, parent, model: part(first.model), pool: part(first.pool) },
        frozen: frozen.record.tensors === 0 ? undefined : frozen.record,
        metrics: { ...measured, windows },
      },
    );
  };
  try {
    const end = await trainingLoop(options, parts, {
      from,
      hooks: {
        stopRequested: () => hooks.stopRequested(),
        report: (row) => {
          const { update, loss, heldOutLoss, elapsedSeconds } = row;
          measured = {
            ...measured,
            update,
            loss,
            ...(heldOutLoss === undefined ? {} : { heldOutLoss }),
            elapsedSeconds,
          };
          metrics.append(row);
          hooks.onEvent(row);
        },
        save: async ({ update, elapsedMs, lastLoss }) => {
          const counters = { update, elapsedMs, lastLoss, fingerprint };
          await saveTrainingState(options.trainingFolder, counters, await tensors.toArrays());
          await writeAt(options.checkpointFolder, update);
          hooks.onEvent({ type: 'saved', update, checkpoint: options.checkpointFolder });
        },
        snapshot: async ({ update }) => {
          const checkpoint = snapshotFolder(options.trainingFolder, update);
          await writeAt(checkpoint, update);
          hooks.onEvent({ type: 'snapshot', update, checkpoint });
        },
      },
    });
    return {
      outcome: end.finished ? 'finished' : 'stopped',
      update: end.update,
      loss: measured['loss'] ?? end.lastLoss,
      heldOutLoss: end.heldOutLoss,
      checkpoint: options.checkpointFolder,
    };
  } finally {
    parts.graph.dispose();
    parts.heldOut?.graph.dispose();
    tensors.dispose();
    frozen.dispose();
  }
}

/** Where the checkpoint of one update lies until somebody has looked at it; sorts by age as text. */
export function snapshotFolder(trainingFolder: string, update: number): string {
  return join(trainingFolder, 'snapshots', String(update).padStart(9, '0'));
}

/** A model whose weights stay must go on to see states as it has learned to: by the tables of its own data. */
function tablesOf(
  { trainable = 'model' }: PretrainOptions,
  { read, parent }: { readonly read: TrainingData; readonly parent: Checkpoint | undefined },
): TrainingData['standardise'] {
  if (parent === undefined || trainable === 'model') return read.standardise;
  return policyConfigOf(parent.manifest).options.standardise;
}

function dropoutOfMethod({
  dropout,
  frozenEval,
  trainable = 'model',
}: PretrainOptions): Pick<LearningMethod, 'dropout'> {
  const quiet = dropout === undefined || (frozenEval === true && trainable !== 'model');
  return quiet ? {} : { dropout };
}

function compileParts(
  options: PretrainOptions,
  data: TrainingData,
  { tensors, method }: { readonly tensors: TrainingTensors; readonly method: LearningMethod },
): LoopParts {
  const { seed, alternateDomains, afterSuccessWeight, observationNoise = 0, lateShare = 0, model } = options;
  const policy = { model, options: policyOptionsOf(options, data.standardise) };
  const sampling = { seed, alternateDomains, afterSuccessWeight, observationNoise, lateShare, policy };
  const anyHeldOut = data.tasks.some((task) => task.heldOut.length > 0);
  return {
    tensors,
    sampler: windowSampler(data.tasks, { ...sampling, split: 'training' }),
    graph: updateGraphInTurn(tasksInTurn(data.tasks, alternateDomains), { ...options, method }),
    heldOut: anyHeldOut
      ? {
          sampler: windowSampler(data.tasks, { ...sampling, split: 'heldOut' }),
          graph: compileLoss({ ...options, method, actionDimensions: mostDimensions(data.tasks) }),
        }
      : undefined,
  };
}

function parameterCountOf(tensors: TrainingTensors): number {
  return Object.values(tensors.shapes).reduce((sum, shape) => sum + shape.reduce((a, b) => a * b, 1), 0);
}
