import { createHash } from 'node:crypto';
import { setImmediate } from 'node:timers/promises';
import type { PolicyConfig } from '../../agent/config.ts';
import { modelShapes, selectArrays, unusedShapes, poolShapes } from '../../agent/weights/names.ts';
import { policyConfigOf } from '../checkpoints/manifest.ts';
import { readCheckpoint, type Checkpoint } from '../checkpoints/read-checkpoint.ts';
import { loadContinualState, saveContinualState, type ContinualState } from '../continual/continual-state.ts';
import { FittedKeysLearner } from '../continual/fitted-keys-learner.ts';
import { identityTasks } from '../continual/identity-tasks.ts';
import { CONTINUAL_METHODS, modulationOf } from '../continual/methods.ts';
import { searchedLayouts } from '../continual/training-material.ts';
import { L2mError } from '../errors.ts';
import type { TrainingHooks } from '../learning/serve-trainer.ts';
import { startBackend, type BackendOptions } from '../tensors/backend.ts';
import { AdaptationFolder } from './adaptation-folder.ts';
import { learnerSettings, type AdaptationSettings } from './adaptation-settings.ts';
import { writeCandidate } from './candidate.ts';
import { loadRoundData, roundSource, type RoundData } from './round-data.ts';

export interface RoundTrainingOptions {
  /** Path of the adaptation's folder. */
  readonly folder: string;
  readonly settings: AdaptationSettings;
  readonly round: number;
  /** Version whose pool and learner are gone on with; 0 begins anew. */
  readonly version: number;
  readonly backend: BackendOptions;
  readonly saveEveryMinutes: number;
  readonly reportEverySeconds: number;
  readonly command: string;
  readonly commit: string;
}

/** Averages since the previous report; `update` counts over the lineage of the candidate. */
export interface RoundEvent {
  readonly type: 'progress';
  readonly update: number;
  readonly last: number;
  readonly loss: number;
}

export interface RoundResult {
  readonly outcome: 'finished' | 'stopped' | 'nothing-kept';
}

/**
 * Learns for one round in this process and leaves a candidate: from all kept episodes so far, on from the learner of the version that acts.
 * Equal settings and data give equal candidates, interrupted or not. A learner whose candidate was rolled back is never gone on with.
 *
 * @throws L2mError L2M_DATA_INVALID, L2M_CHECKPOINT_INVALID, L2M_RUN_MISMATCH, L2M_STORE_UNWRITABLE, L2M_GRAPH_FAILED
 */
export async function trainRound(
  options: RoundTrainingOptions,
  hooks: TrainingHooks<RoundEvent>,
): Promise<RoundResult> {
  const { settings, round, version } = options;
  const folder = new AdaptationFolder(options.folder);
  const base = await readCheckpoint(folder.checkpoint(0));
  const data = await loadRoundData(folder, settings, { round, model: policyConfigOf(base.manifest).model });
  if (data.keptCount === 0) return { outcome: 'nothing-kept' };
  const policy = adaptedPolicy(base, settings, data);
  const fingerprint = fingerprintOf(settings, base, data);
  const before = version === 0 ? undefined : await stateOf(folder, version);
  const saved = await loadContinualState(folder.round(round));
  if (saved !== undefined && saved.fingerprint !== fingerprint) {
    throw new L2mError('L2M_RUN_MISMATCH', `round ${round} of ${folder.name} has other settings or data`);
  }
  const last = (before?.update ?? 0) + settings.updates;
  if (saved?.update === last) return { outcome: 'finished' };
  await startBackend(options.backend);
  const learner = learnerOf({ settings, base, policy, data }, round, saved ?? before);
  let update = saved?.update ?? before?.update ?? 0;
  let loss = Number.NaN;
  const save = async () =>
    saveContinualState(folder.round(round), { ...(await learner.state()), update, elapsedMs: 0, fingerprint });
  try {
    if (learner.begun < 0) await learner.beginTask(0);
    let [savedMs, reportedMs] = [performance.now(), performance.now()];
    let losses: number[] = [];
    while (update < last && !hooks.stopRequested()) {
      ({ loss } = learner.update(update));
      if (!Number.isFinite(loss)) throw new RangeError(`the loss of update ${update + 1} is ${loss}`);
      update++;
      losses.push(loss);
      if (performance.now() - reportedMs >= options.reportEverySeconds * 1000 || update === last) {
        hooks.onEvent({ type: 'progress', update, last, loss: losses.reduce((a, b) => a + b, 0) / losses.length });
        [losses, reportedMs] = [[], performance.now()];
      }
      if (update < last && performance.now() - savedMs >= options.saveEveryMinutes * 60_000) {
        await save();
        savedMs = performance.now();
      }
      // The graph blocks this thread; messages and signals get their turn here.
      await setImmediate();
    }
    const outcome = update < last ? 'stopped' : 'finished';
    // Before the state: a state after the last update says that its candidate is whole.
    if (outcome === 'finished') {
      await writeCandidate({ folder, options, base, policy, data }, await learner.checkpoint(), {
        updates: update,
        loss,
      });
    }
    await save();
    return { outcome };
  } finally {
    learner.dispose();
  }
}

/** The base with a pool of two rows: the identity, and what the adapted task learns. */
function adaptedPolicy(base: Checkpoint, settings: AdaptationSettings, data: RoundData): PolicyConfig {
  const { model, options } = policyConfigOf(base.manifest);
  const { identityKeys, keysPerTask, byLayout } = settings;
  const changes = byLayout === true ? { byLayout } : {};
  const layout = { model, tasks: 1, others: 0, identityKeys, keysPerTask, changes };
  const modulation = modulationOf(CONTINUAL_METHODS['fitted-keys'], layout);
  return {
    model,
    modulation,
    options: { ...options, ...searchedLayouts(modulation, [...data.identity, ...data.kept]) },
  };
}

function learnerOf(
  parts: {
    readonly settings: AdaptationSettings;
    readonly base: Checkpoint;
    readonly policy: PolicyConfig;
    readonly data: RoundData;
  },
  round: number,
  saved: ContinualState | undefined,
): FittedKeysLearner {
  const { settings, base, policy, data } = parts;
  const { model, modulation } = policyConfigOf(base.manifest);
  return new FittedKeysLearner(
    {
      ...{ settings: learnerSettings(settings), policy, saved, source: roundSource(data, settings, { round, policy }) },
      model: selectArrays(base.arrays, modelShapes(model), {
        ...unusedShapes(model),
        ...poolShapes(model, modulation),
      }),
    },
    identityTasks(data.identity, { seed: settings.seed, policy }),
  );
}

async function stateOf(folder: AdaptationFolder, version: number): Promise<ContinualState> {
  const state = await loadContinualState(folder.round(version));
  if (state !== undefined) return state;
  throw new L2mError('L2M_DATA_INVALID', `${folder.round(version)} holds no learner to go on with`);
}

function fingerprintOf(settings: AdaptationSettings, base: Checkpoint, data: RoundData): string {
  const contents = [...data.sources.map(({ contentHash }) => contentHash)];
  const identity = data.identity.map(({ trajectories }) => trajectories.contentHash);
  return createHash('sha256')
    .update(JSON.stringify([settings, base.manifest.files.model.sha256, contents, identity]))
    .digest('hex');
}
