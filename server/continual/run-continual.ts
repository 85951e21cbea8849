import { existsSync } from 'node:fs';
import { isDeepStrictEqual } from 'node:util';
import type { PerformanceMatrix } from '../../protocol/performance-matrix.ts';
import type { LiveServer } from '../build-server.ts';
import { L2mError } from '../errors.ts';
import { openRowLog } from '../learning/row-log.ts';
import { findTrajectoryFiles } from '../learning/training-data.ts';
import { runTrainer } from '../learning/trainer-host.ts';
import type { BackendOptions } from '../tensors/backend.ts';
import type { ContinualEvent, TrainerResult } from './continual-events.ts';
import { checkContinualSettings, type ContinualSettings, type ContinualTrainerOptions } from './continual-options.ts';
import { loadContinualState } from './continual-state.ts';
import { matrixOf, wholeRows, writeMatrix, type EvaluationRow } from './evaluation-rows.ts';
import { RunFolder } from './run-folder.ts';
import { SnapshotEvaluator } from './snapshot-evaluator.ts';
import { writeSummary, type ContinualSummary } from './summary.ts';
import { tasksToRead } from './training-material.ts';

export interface ContinualOptions {
  /** `<data>/continual/<name>` */
  readonly folder: string;
  /** Of a resumed run those in its folder count. */
  readonly settings: ContinualSettings;
  /** The checkpoint to start from. */
  readonly checkpoint: string;
  /** Root of all trajectories. */
  readonly trajectories: string;
  readonly resume: boolean;
  readonly overwrite: boolean;
  readonly backend: BackendOptions;
  readonly saveEveryMinutes: number;
  readonly command: string;
  readonly commit: string;
  /** Rows of the bare model from another training with the same checkpoint, starts and episodes: it need not be evaluated again. */
  readonly before?: readonly EvaluationRow[];
}

export interface ContinualHooks {
  note(text: string): void;
  onEvent(event: ContinualEvent): void;
  evaluating(update: number, finished: number, planned: number): void;
  /** After each evaluation: all rows so far. */
  evaluated?(rows: readonly EvaluationRow[]): void;
  /** Aborting saves and stops. */
  readonly signal: AbortSignal;
}

export interface ContinualOutcome {
  readonly outcome: 'finished' | 'stopped';
  readonly settings: ContinualSettings;
  readonly rows: readonly EvaluationRow[];
  readonly summary: ContinualSummary | undefined;
}

/**
 * A continual training with its evaluations: the trainer learns in a process of its own, and each snapshot is evaluated on simulators
 * meanwhile. Killed at any moment and resumed, it ends with the matrix of a run that was never disturbed.
 *
 * @throws L2mError L2M_CONFIG_INVALID, L2M_DATA_INVALID, L2M_CHECKPOINT_INVALID, L2M_RUN_MISMATCH, L2M_AGENT_LOST, L2M_SIMULATOR_FAULT
 */
export async function runContinual(
  server: LiveServer,
  options: ContinualOptions,
  hooks: ContinualHooks,
): Promise<ContinualOutcome> {
  const folder = new RunFolder(options.folder);
  const settings = await openRun(folder, options);
  const stop = new AbortController();
  const signal = AbortSignal.any([hooks.signal, stop.signal]);
  const rows = wholeRows(folder.evaluations, settings);
  if (!rows.some(({ update }) => update === 0)) rows.push(...(options.before ?? []));
  const known = new Set(rows.map(({ update }) => update));
  // Written anew: what a killed session left of an evaluation goes, and rows of the bare model may have come.
  const log = openRowLog<EvaluationRow>(folder.evaluations, undefined);
  for (const row of rows) log.append(row);
  const show = (state: PerformanceMatrix['state']) =>
    writeMatrix(folder, matrixOf({ name: folder.name, settings, state }, rows));
  const evaluator = new SnapshotEvaluator({
    ...{ server, folder, settings, signal, note: (text: string) => hooks.note(text) },
    progress: (finished, planned) => hooks.evaluating(current, finished, planned),
  });
  let current = 0;
  let failure: { readonly reason: unknown } | undefined;
  let evaluations = Promise.resolve();
  const evaluate = (update: number) => {
    if (known.has(update)) return;
    known.add(update);
    evaluations = evaluations.then(async () => {
      if (failure !== undefined) return;
      current = update;
      const found = await evaluator.evaluate(update);
      if (found === undefined) return;
      for (const row of found) log.append(row);
      rows.push(...found);
      await show('running');
      hooks.evaluated?.(rows);
    });
    evaluations = evaluations.catch((reason: unknown) => {
      failure ??= { reason };
      stop.abort();
    });
  };
  try {
    const saved = await loadContinualState(folder.path);
    for (const update of await folder.snapshots()) if (update <= (saved?.update ?? -1)) evaluate(update);
    await show('running');
    const trained = await train(trainerOptions(folder, options, settings), {
      signal,
      onEvent: (event) => {
        hooks.onEvent(event);
        if (event.type === 'snapshot') evaluate(event.update);
      },
    });
    await evaluations;
    if (failure !== undefined) throw failure.reason;
    const outcome = trained.outcome === 'finished' && !signal.aborted ? 'finished' : 'stopped';
    await show(outcome);
    const summary = outcome === 'finished' ? await writeSummary(folder, { settings, rows, trained }) : undefined;
    return { outcome, settings, rows, summary };
  } finally {
    stop.abort();
    await evaluations;
    await evaluator.close();
  }
}

function train(
  options: ContinualTrainerOptions,
  hooks: { readonly onEvent: (event: ContinualEvent) => void; readonly signal: AbortSignal },
): Promise<TrainerResult> {
  const entry = new URL('./trainer.ts', import.meta.url);
  return runTrainer<ContinualTrainerOptions, ContinualEvent, TrainerResult>(
    { entry, options, logPath: new RunFolder(options.folder).trainerLog },
    hooks,
  );
}

function trainerOptions(
  folder: RunFolder,
  { backend, saveEveryMinutes, command, commit }: ContinualOptions,
  settings: ContinualSettings,
): ContinualTrainerOptions {
  return {
    ...{ name: folder.name, folder: folder.path, settings, resume: true, backend, saveEveryMinutes, command, commit },
    reportEverySeconds: 5,
  };
}

/** The settings of the run, which is begun unless it is to go on. */
async function openRun(folder: RunFolder, options: ContinualOptions): Promise<ContinualSettings> {
  const { settings, resume, overwrite, checkpoint, trajectories, command } = options;
  const found = await folder.read();
  if (resume) {
    if (found === undefined)
      throw new L2mError('L2M_RUN_MISMATCH', `there is no continual training called ${folder.name}`);
    return found.settings;
  }
  if ((found !== undefined || existsSync(folder.path)) && !overwrite) {
    throw new L2mError('L2M_RUN_MISMATCH', `the continual training ${folder.name} exists already`, {
      hint: 'Go on with it by --resume, start over by --overwrite, or choose another --name.',
    });
  }
  checkContinualSettings(settings);
  const files = await findTrajectoryFiles(trajectories, tasksToRead(settings), settings.source);
  if (overwrite) await folder.remove();
  await folder.begin({ settings, command }, { checkpoint, files });
  return settings;
}

/** Whether a folder holds the run of these settings, whole or not. */
export async function holdsRun(path: string, settings: ContinualSettings): Promise<boolean> {
  const found = await new RunFolder(path).read();
  return found !== undefined && isDeepStrictEqual(found.settings, JSON.parse(JSON.stringify(settings)));
}
