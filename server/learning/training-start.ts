import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { isDeepStrictEqual } from 'node:util';
import { initialArrays } from '../../agent/weights/initialise.ts';
import { modelShapes, poolShapes, selectArrays, unusedShapes, WAVES_NAME } from '../../agent/weights/names.ts';
import type { Checkpoint } from '../checkpoints/read-checkpoint.ts';
import type { WeightArrays } from '../checkpoints/weights-file.ts';
import { L2mError } from '../errors.ts';
import type { PretrainOptions, PretrainSettings } from './pretrain-options.ts';
import type { TrainingData } from './training-data.ts';
import { removeStates } from './saved-state.ts';
import { loadTrainingState, type SavedTraining } from './training-state.ts';
import { randomFor } from './window-sampler.ts';

/** Everything that decides what the weights become, except how long the training lasts: it may be prolonged. */
export function trainingSettings(options: PretrainSettings): Record<string, unknown> {
  const { model, batchSize, accumulate, budget, learningRate, finalLearningRate, warmUpUpdates, weightDecay } = options;
  const { seed, standardise, alternateDomains, afterSuccessWeight, heldOutShare, initialiseFrom } = options;
  return {
    model,
    batchSize,
    accumulate,
    budget,
    learningRate,
    finalLearningRate,
    warmUpUpdates,
    weightDecay,
    seed,
    standardise,
    alternateDomains,
    afterSuccessWeight,
    heldOutShare,
    initialiseFrom: initialiseFrom ?? null,
    // Left out where absent, so that trainings begun before these settings existed can go on.
    ...(options.trainable === undefined ? {} : { trainable: options.trainable }),
    ...(options.observationNoise === undefined ? {} : { observationNoise: options.observationNoise }),
    ...(options.lateShare === undefined ? {} : { lateShare: options.lateShare }),
    ...(options.pullWeight === undefined ? {} : { pullWeight: options.pullWeight }),
    ...(options.dropout === undefined ? {} : { dropout: options.dropout, frozenEval: options.frozenEval === true }),
    ...(options.referenceTicks === undefined ? {} : { referenceTicks: options.referenceTicks }),
  };
}

/** Two calls with one fingerprint are the same training. The budget may change: a finished training can be prolonged. */
export function trainingFingerprint(options: PretrainSettings, data: Pick<TrainingData, 'sources'>): string {
  const { budget: _, ...settings } = trainingSettings(options);
  const contents = data.sources.map(({ task, source, contentHash }) => [task, source, contentHash]);
  return createHash('sha256')
    .update(JSON.stringify([settings, contents]))
    .digest('hex');
}

/**
 * The state to go on with; undefined for a training that begins.
 * @throws L2mError L2M_RUN_MISMATCH if the state is of another training, or exists although it was not asked for
 */
export async function stateToResume(options: PretrainOptions, fingerprint: string): Promise<SavedTraining | undefined> {
  const { name, trainingFolder, checkpointFolder, resume, overwrite } = options;
  if (overwrite && !resume) {
    await removeStates(trainingFolder);
    return undefined;
  }
  const saved = await loadTrainingState(trainingFolder);
  if (resume) {
    if (saved === undefined) throw new L2mError('L2M_RUN_MISMATCH', `there is no saved training called ${name}`);
    if (saved.counters.fingerprint === fingerprint) return saved;
    throw new L2mError('L2M_RUN_MISMATCH', `the training ${name} has other settings or data`, {
      hint: 'Resume with the settings and trajectory files it began with, or choose another name.',
    });
  }
  if (saved !== undefined || existsSync(checkpointFolder)) {
    const got = saved === undefined ? `${checkpointFolder} exists already` : `the training ${name} exists already`;
    throw new L2mError('L2M_RUN_MISMATCH', got, { hint: 'Resume it, overwrite it, or choose another name.' });
  }
  return undefined;
}

/**
 * Weights of the model before the first update.
 * @throws L2mError or AgentError L2M_CHECKPOINT_INVALID if the parent has other sizes
 */
export function initialWeights(options: PretrainSettings, parent: Checkpoint | undefined): WeightArrays {
  const { model } = options;
  if (parent === undefined) {
    return initialArrays({ model, modulation: { kind: 'none' } }, randomFor(options.seed, 'weights', 0));
  }
  const pool = poolShapes(parent.manifest.model, parent.manifest.modulation);
  const shapes = modelShapes(model);
  const waves = shapes[WAVES_NAME];
  const arrays = new Map(parent.arrays);
  // A parent without waves gives the new model none to begin with: zeros change nothing.
  if (waves !== undefined && parent.manifest.model.observationWaves === undefined) {
    arrays.set(WAVES_NAME, { shape: waves, dtype: 'F32', data: new Float32Array(waves.reduce((size, n) => size * n)) });
  }
  return selectArrays(arrays, shapes, { ...unusedShapes(model), ...pool });
}

/**
 * The modulators before the first update: the parent's where it has such ones and they are to learn on, else new ones that change nothing: LoRA
 * with its second factor zero, (IA)³ with ones.
 */
export function initialPool(options: PretrainSettings, parent: Checkpoint | undefined): WeightArrays {
  const { model, modulation, trainable = 'model' } = options;
  const shapes = poolShapes(model, modulation);
  const inherits = trainable === 'pool' || trainable === 'modulators';
  if (parent !== undefined && inherits && isDeepStrictEqual(parent.manifest.modulation, modulation)) {
    return selectArrays(parent.arrays, shapes, { ...modelShapes(model), ...unusedShapes(model) });
  }
  const names = Object.keys(shapes);
  const arrays = initialArrays({ model, modulation }, randomFor(options.seed, 'pool', 0));
  return new Map([...arrays].filter(([name]) => names.includes(name)));
}
