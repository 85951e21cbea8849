import { cp, mkdir, readdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { RunSummary } from '../../protocol/dashboard-views.ts';
import type { EvaluationProtocol, TaskId } from '../../protocol/task.ts';
import type { LiveServer } from '../build-server.ts';
import { L2mError } from '../errors.ts';
import type { PretrainEvent, PretrainResult } from '../learning/pretrain-events.ts';
import type { PretrainOptions } from '../learning/pretrain-options.ts';
import { pretrain } from '../learning/pretrain.ts';
import { loadTrainingState } from '../learning/training-state.ts';
import { trainingSettings } from '../learning/training-start.ts';
import { openTrainingRun, type TrainingRun } from '../store/training-run.ts';
import { openEvaluationHistory, standingOf, type EvaluationHistory, type EvaluationRow } from './evaluation-history.ts';
import { scoreOf } from './score-of.ts';

export interface BackgroundEvaluation {
  readonly everyUpdates: number;
  readonly tasks: readonly TaskId[];
  /** Of each task; always the same starts. */
  readonly episodes: number;
  readonly protocol: EvaluationProtocol;
  readonly seed: number;
  /** Stop after so many evaluations in a row without a better score; undefined: never. */
  readonly patience: number | undefined;
  /** Gets the best weights so far. */
  readonly bestFolder: string;
}

export interface EvaluatedHooks {
  onEvent?(event: PretrainEvent): void;
  onEvaluation?(row: EvaluationRow, isBest: boolean): void;
  /** Training goes on; the checkpoint waits for the next session. */
  onEvaluationFailed?(update: number, cause: unknown): void;
  readonly signal?: AbortSignal;
}

export interface EvaluatedResult extends PretrainResult {
  /** Of the weights in `bestFolder`; undefined where the training ended before its first evaluation. */
  readonly best: EvaluationRow | undefined;
  /** Ended because nothing became better. */
  readonly ranOutOfPatience: boolean;
}

/**
 * Pre-trains while a server's simulators evaluate: every so many updates the trainer leaves a checkpoint, which is evaluated in turn
 * with the others, so that training never waits. Interrupted and resumed, each update is evaluated once, and the same weights are best.
 * Losses, rates and successes are metrics of one run in the store.
 * @throws L2mError as `pretrain`
 */
export async function evaluatedPretraining(
  server: LiveServer,
  options: PretrainOptions,
  { evaluation, hooks }: { readonly evaluation: BackgroundEvaluation; readonly hooks: EvaluatedHooks },
): Promise<EvaluatedResult> {
  const training = await begin(server, { options, evaluation, hooks });
  const stop = new AbortController();
  const stopBoth = () => stop.abort();
  hooks.signal?.addEventListener('abort', stopBoth, { once: true });
  if (hooks.signal?.aborted === true) stop.abort();
  let state: 'finished' | 'stopped' | 'failed' = 'failed';
  try {
    for (const folder of await waitingSnapshots(options.trainingFolder)) training.enqueue(folder, stop);
    const result = await pretrain(
      { ...options, snapshotEveryUpdates: evaluation.everyUpdates },
      {
        signal: stop.signal,
        onEvent: (event) => {
          if (event.type === 'snapshot') training.enqueue(event.checkpoint, stop);
          if (event.type === 'progress') training.recordProgress(event);
          hooks.onEvent?.(event);
        },
      },
    );
    await training.evaluated(hooks.signal);
    const { best } = standingOf(training.history.rows());
    const ranOutOfPatience = training.impatient();
    state = result.outcome === 'finished' || ranOutOfPatience ? 'finished' : 'stopped';
    return { ...result, outcome: state, best, ranOutOfPatience };
  } finally {
    hooks.signal?.removeEventListener('abort', stopBoth);
    await training.run.end(state);
  }
}

/** Of one evaluation. */
const ATTEMPTS = 3;

interface Parts {
  readonly options: PretrainOptions;
  readonly evaluation: BackgroundEvaluation;
  readonly hooks: EvaluatedHooks;
}

async function begin(server: LiveServer, parts: Parts): Promise<Evaluations> {
  const { options, evaluation } = parts;
  const { trainingFolder, resume, overwrite, name, seed } = options;
  await mkdir(trainingFolder, { recursive: true });
  if (!resume && overwrite) {
    await rm(join(trainingFolder, 'snapshots'), { recursive: true, force: true });
    await rm(evaluation.bestFolder, { recursive: true, force: true });
  }
  if (!resume && !overwrite && (await loadTrainingState(trainingFolder)) !== undefined) {
    throw new L2mError('L2M_RUN_MISMATCH', `the training ${name} exists already`, {
      hint: 'Resume it, overwrite it, or choose another name.',
    });
  }
  const history = openEvaluationHistory(join(trainingFolder, 'evaluations.jsonl'), resume);
  const run = await openTrainingRun({
    ...{ store: server.store, versions: server.fleet.versions(), folder: trainingFolder, resume, seed },
    policy: `pre-training ${name}`,
    configuration: { ...trainingSettings(options), evaluation: { ...evaluation, bestFolder: undefined } },
  });
  return new Evaluations(server, parts, { history, run });
}

/** Checkpoints that an earlier session left without looking at them, oldest first. */
async function waitingSnapshots(trainingFolder: string): Promise<string[]> {
  const folder = join(trainingFolder, 'snapshots');
  const names = await readdir(folder).catch(() => []);
  return names
    .filter((name) => /^\d+$/.test(name))
    .sort()
    .map((name) => join(folder, name));
}

/** Evaluates one checkpoint after the other. */
class Evaluations {
  readonly history: EvaluationHistory;
  readonly run: TrainingRun;
  readonly #server: LiveServer;
  readonly #parts: Parts;
  #last: Promise<void> = Promise.resolve();
  #failure: unknown;

  constructor(server: LiveServer, parts: Parts, kept: { history: EvaluationHistory; run: TrainingRun }) {
    this.#server = server;
    this.#parts = parts;
    this.history = kept.history;
    this.run = kept.run;
  }

  enqueue(checkpoint: string, stop: AbortController): void {
    this.#last = this.#last.then(async () => {
      try {
        await this.#evaluate(checkpoint);
      } catch (cause) {
        // Weights that took hours must not be lost to a simulator.
        this.#parts.hooks.onEvaluationFailed?.(updateOf(checkpoint), cause);
      }
      if (this.impatient()) stop.abort();
    });
  }

  recordProgress(event: Extract<PretrainEvent, { type: 'progress' }>): void {
    const { update, loss, heldOutLoss, learningRate, windowsPerSecond } = event;
    const values = { loss, learningRate, windowsPerSecond, ...(heldOutLoss === undefined ? {} : { heldOutLoss }) };
    this.run.record(update, values).catch((failure: unknown) => (this.#failure ??= failure));
  }

  /** Whether the latest evaluations brought nothing. */
  impatient(): boolean {
    const { patience } = this.#parts.evaluation;
    return patience !== undefined && standingOf(this.history.rows()).withoutGain >= patience;
  }

  /** Resolves when all that is waiting is evaluated, or, where a person wants to stop, the one under way is. */
  async evaluated(signal: AbortSignal | undefined): Promise<void> {
    if (signal?.aborted !== true) await this.#last;
    if (this.#failure !== undefined) throw this.#failure as Error;
  }

  async #evaluate(checkpoint: string): Promise<void> {
    const update = updateOf(checkpoint);
    const { hooks } = this.#parts;
    if (hooks.signal?.aborted === true) return;
    if (!this.history.has(update) && !this.impatient()) {
      const summary = await this.#scored(checkpoint);
      // A person stopped the run: the checkpoint waits for the next session.
      if (summary.state === 'stopped') return;
      const returns = summary.tasks.flatMap(({ meanReturn }) => (meanReturn === null ? [] : [meanReturn]));
      const row: EvaluationRow = {
        ...{ update, score: scoreOf(summary), run: summary.run },
        ...{ successAnyTime: summary.meanSuccessAnyTime, successAtEnd: summary.meanSuccessAtEnd },
        meanReturn: returns.length === 0 ? null : returns.reduce((sum, value) => sum + value, 0) / returns.length,
      };
      await this.#keep(row, checkpoint);
    }
    // Before its folder is gone: an agent host that is started again loads all it had.
    await this.#server.policies.release(checkpoint);
    await rm(checkpoint, { recursive: true, force: true });
  }

  /** Again where it fails: a simulator may be lost, or a busy machine too slow to answer in time. */
  async #scored(checkpoint: string): Promise<RunSummary> {
    const { tasks, episodes, protocol, seed } = this.#parts.evaluation;
    for (let attempt = 1; ; attempt++) {
      try {
        const handle = await this.#server.runs.start({
          ...{ kind: 'evaluate', tasks, episodes, protocol, seed, firstStart: 0, horizon: null },
          policy: { kind: 'checkpoint', folder: checkpoint },
        });
        const summary = await handle.over;
        if (summary.state !== 'failed') return summary;
        throw new L2mError('L2M_WORKER_LOST', summary.message);
      } catch (cause) {
        if (attempt >= ATTEMPTS || this.#parts.hooks.signal?.aborted === true) throw cause;
      }
    }
  }

  async #keep(row: EvaluationRow, checkpoint: string): Promise<void> {
    const { evaluation, hooks } = this.#parts;
    const inOrder = [...this.history.rows(), row].sort((a, b) => a.update - b.update);
    const isBest = standingOf(inOrder).best === row;
    // The weights first: a row that says best without them would be worse than an evaluation made twice.
    if (isBest) await replaceFolder(checkpoint, evaluation.bestFolder);
    this.history.append(row);
    const { update, score, successAnyTime, successAtEnd } = row;
    await this.run.record(update, {
      score,
      ...(successAnyTime === null ? {} : { successAnyTime }),
      ...(successAtEnd === null ? {} : { successAtEnd }),
    });
    hooks.onEvaluation?.(row, isBest);
  }
}

function updateOf(checkpoint: string): number {
  return Number(checkpoint.slice(-9));
}

async function replaceFolder(from: string, to: string): Promise<void> {
  const temporary = `${to}.tmp-${process.pid}`;
  await cp(from, temporary, { recursive: true });
  await rm(to, { recursive: true, force: true });
  await rename(temporary, to);
}
