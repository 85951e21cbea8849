import { setImmediate } from 'node:timers/promises';
import { L2mError } from '../errors.ts';
import { openRowLog } from '../learning/row-log.ts';
import type { TrainingHooks } from '../learning/serve-trainer.ts';
import { describeBackend, startBackend } from '../tensors/backend.ts';
import { BatchSource } from './batch-source.ts';
import type { ContinualEvent, ContinualProgress, TrainerResult } from './continual-events.ts';
import type { ContinualLearner, LearnerParts } from './continual-learner.ts';
import {
  checkContinualSettings,
  continualFingerprint,
  timetableOf,
  type ContinualTrainerOptions,
} from './continual-options.ts';
import { loadContinualState, saveContinualState, type ContinualState } from './continual-state.ts';
import { FittedKeysLearner } from './fitted-keys-learner.ts';
import { identityTasks } from './identity-tasks.ts';
import { CONTINUAL_METHODS, type ContinualMethod } from './methods.ts';
import { ProgressInterval } from './progress-interval.ts';
import { RunFolder } from './run-folder.ts';
import { writeSnapshot } from './snapshot.ts';
import { evaluatesAfter, taskAfter, totalUpdates } from './timetable.ts';
import { readMaterial, type TrainingMaterial } from './training-material.ts';
import { WeightLearner } from './weight-learner.ts';

/**
 * Learns a sequence of tasks in this process, saving on the way and leaving a snapshot at every time of evaluation. Equal settings and data
 * give equal snapshots on one machine, interrupted or not.
 *
 * @throws L2mError L2M_CONFIG_INVALID, L2M_DATA_INVALID, L2M_CHECKPOINT_INVALID, L2M_RUN_MISMATCH, L2M_STORE_UNWRITABLE
 */
export async function trainContinually(
  options: ContinualTrainerOptions,
  hooks: TrainingHooks<ContinualEvent>,
): Promise<TrainerResult> {
  const { settings } = options;
  checkContinualSettings(settings);
  const folder = new RunFolder(options.folder);
  hooks.onEvent({ type: 'preparing', what: 'reading trajectories' });
  const material = await readMaterial(folder, settings);
  const fingerprint = fingerprintOf(options, material);
  const saved = await stateToGoOnWith(options, fingerprint);
  const backend = await startBackend(options.backend);
  const learner = learnerOf(options, { material, saved });
  const metrics = openRowLog<ContinualProgress>(
    folder.metrics,
    saved === undefined ? undefined : (row) => row.update <= saved.update,
  );
  const timetable = timetableOf(settings);
  const total = totalUpdates(timetable);
  const startMs = performance.now();
  let update = saved?.update ?? 0;
  const elapsedMs = () => (saved?.elapsedMs ?? 0) + performance.now() - startMs;
  let savedMs = performance.now();
  const save = async () => {
    const state = { ...(await learner.state()), update, elapsedMs: elapsedMs(), fingerprint };
    await saveContinualState(folder.path, state);
    savedMs = performance.now();
    hooks.onEvent({ type: 'saved', update });
  };
  const snapshot = async () => {
    const facts = { update, elapsedSeconds: elapsedMs() / 1000 };
    await writeSnapshot({ folder, options, material }, await learner.checkpoint(), facts);
    hooks.onEvent({ type: 'snapshot', update });
  };
  const { parameterCount } = learner;
  hooks.onEvent({ type: 'started', update, backend: describeBackend(backend), parameterCount });
  try {
    if (update === 0) await snapshot();
    const progress = new ProgressInterval({ total, elapsedMs, begin: update });
    while (update < total && !hooks.stopRequested()) {
      const position = taskAfter(timetable, update);
      if (learner.begun !== position) {
        await learner.beginTask(position);
        hooks.onEvent({ type: 'task', position, task: settings.sequence[position] ?? null });
      }
      const outcome = learner.update(update);
      if (!Number.isFinite(outcome.loss)) throw new RangeError(`the loss of update ${update + 1} is ${outcome.loss}`);
      update++;
      progress.add(outcome);
      const due = evaluatesAfter(timetable, update);
      if (due || progress.seconds >= options.reportEverySeconds) {
        const row = progress.report(update, position);
        metrics.append(row);
        hooks.onEvent(row);
      }
      if (due) await snapshot();
      if (due || performance.now() - savedMs >= options.saveEveryMinutes * 60_000) await save();
      // The graph blocks this thread; messages and signals get their turn here.
      await setImmediate();
    }
    await save();
    return {
      outcome: update >= total ? 'finished' : 'stopped',
      update,
      elapsedSeconds: elapsedMs() / 1000,
      parameterCount,
    };
  } finally {
    learner.dispose();
  }
}

function learnerOf(
  { settings }: ContinualTrainerOptions,
  { material, saved }: { readonly material: TrainingMaterial; readonly saved: ContinualState | undefined },
): ContinualLearner {
  const { policy, tasks, model, identity } = material;
  const parts: LearnerParts = { settings, policy, model, saved, source: new BatchSource({ settings, policy, tasks }) };
  const pretraining = identityTasks(identity, { seed: settings.seed, policy });
  const { fittedKeys }: ContinualMethod = CONTINUAL_METHODS[settings.method];
  if (fittedKeys === true) return new FittedKeysLearner(parts, pretraining);
  return new WeightLearner(
    parts,
    pretraining.map(({ sampler }) => sampler),
  );
}

function fingerprintOf({ settings }: ContinualTrainerOptions, { base, data }: TrainingMaterial): string {
  const contents = data.sources.map(({ task, source, contentHash }) => [task, source, contentHash]);
  return continualFingerprint(settings, [base.manifest.files.model.sha256, contents]);
}

async function stateToGoOnWith(
  { folder, resume, name }: ContinualTrainerOptions,
  fingerprint: string,
): Promise<ContinualState | undefined> {
  const saved = resume ? await loadContinualState(folder) : undefined;
  if (saved === undefined || saved.fingerprint === fingerprint) return saved;
  throw new L2mError('L2M_RUN_MISMATCH', `the training ${name} has other settings or data`, {
    hint: 'Resume with the settings and trajectory files it began with, or choose another name.',
  });
}
