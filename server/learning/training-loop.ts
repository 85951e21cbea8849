import { setImmediate } from 'node:timers/promises';
import { dropoutKeys } from '../../agent/learning/dropout.ts';
import { learningRateAt, referenceBatches } from '../../agent/learning/schedule.ts';
import { allocateBatch, type BatchArrays } from './batch-arrays.ts';
import type { LossGraph } from './loss-graph.ts';
import type { PretrainProgress } from './pretrain-events.ts';
import type { PretrainOptions, TrainingBudget } from './pretrain-options.ts';
import type { TrainingTensors } from './training-tensors.ts';
import type { UpdateGraph } from './update-graph.ts';
import { randomFor, type WindowSampler } from './window-sampler.ts';

/** Batches that measure the held-out loss: the same ones every time. */
const HELD_OUT_BATCHES = 8;
/** The held-out loss may take this share of the time. */
const HELD_OUT_TIME_SHARE = 0.02;

export interface LoopParts {
  readonly tensors: TrainingTensors;
  readonly graph: UpdateGraph;
  readonly sampler: WindowSampler;
  readonly heldOut: { readonly graph: LossGraph; readonly sampler: WindowSampler } | undefined;
}

export interface LoopHooks {
  report(progress: PretrainProgress): void;
  save(position: LoopPosition): Promise<void>;
  /** At every update that `snapshotEveryUpdates` divides. */
  snapshot(position: LoopPosition): Promise<void>;
  stopRequested(): boolean;
}

/** How far a training is. */
export interface LoopPosition {
  readonly update: number;
  /** Milliseconds of training over all sessions, compiling and loading left out. */
  readonly elapsedMs: number;
  readonly lastLoss: number;
}

/**
 * Updates until the budget is used up or a stop is asked for, reporting and saving on the way and saving at the end.
 * The batch of an update is drawn between two runs of the graph: for small machines that is well under a hundredth of the time.
 */
export async function trainingLoop(
  options: PretrainOptions,
  parts: LoopParts,
  { from, hooks }: { readonly from: LoopPosition; readonly hooks: LoopHooks },
): Promise<LoopPosition & { readonly finished: boolean; readonly heldOutLoss: number | null }> {
  const batch = allocateBatch(options.batchSize, options.model);
  const clock = stopwatch(from.elapsedMs);
  let position = from;
  let interval = new ReportInterval(clock.elapsedMs());
  let heldOutDueMs = 0;
  let savedAtMs = clock.elapsedMs();
  const progress = () => progressOf(options.budget, position.update, clock.elapsedMs());
  const report = (heldOutLoss: number | undefined) => {
    const row = interval.summary(options, { position, progress: progress(), elapsedMs: clock.elapsedMs() });
    hooks.report(heldOutLoss === undefined ? row : { ...row, heldOutLoss });
    interval = new ReportInterval(clock.elapsedMs());
  };

  while (progress() < 1 && !hooks.stopRequested()) {
    const number = position.update + 1;
    const learningRate = learningRateOf(options, position.update, progress());
    const { first, count } = batchesOf(options, position.update);
    let drawn = 0;
    const keysOf = (drawnBefore: number) => dropoutKeys(randomFor(options.seed, 'dropout', first + drawnBefore));
    const request = { number, learningRate, batches: count, dropoutKeys: keysOf };
    const { loss, gradientNorm } = parts.graph.run(parts.tensors, request, () => {
      parts.sampler.fill(batch, first + drawn++);
      return batch;
    });
    if (!Number.isFinite(loss)) throw new RangeError(`the loss of update ${number} is ${loss}`);
    position = { update: number, elapsedMs: clock.elapsedMs(), lastLoss: loss };
    interval.add({ loss, gradientNorm, learningRate });
    if (clock.elapsedMs() - interval.sinceMs >= options.reportEverySeconds * 1000) {
      const beforeMs = clock.elapsedMs();
      const measured = beforeMs >= heldOutDueMs ? heldOutLoss(parts, batch) : undefined;
      report(measured);
      if (measured !== undefined) heldOutDueMs = beforeMs + (clock.elapsedMs() - beforeMs) / HELD_OUT_TIME_SHARE;
    }
    if (clock.elapsedMs() - savedAtMs >= options.saveEveryMinutes * 60_000) {
      clock.pause();
      await hooks.save(position);
      clock.resume();
      savedAtMs = clock.elapsedMs();
    }
    if (options.snapshotEveryUpdates !== undefined && number % options.snapshotEveryUpdates === 0) {
      clock.pause();
      await hooks.snapshot(position);
      clock.resume();
    }
    // The graph blocks this thread; messages and signals get their turn here.
    await setImmediate();
  }
  const finished = progress() >= 1;
  const last = heldOutLoss(parts, batch);
  if (interval.count > 0) report(last);
  await hooks.save(position);
  return { ...position, finished, heldOutLoss: last ?? null };
}

/** 0..1 of the budget. */
export function progressOf(budget: TrainingBudget, update: number, elapsedMs: number): number {
  return Math.min(1, budget.kind === 'updates' ? update / budget.updates : elapsedMs / (budget.minutes * 60_000));
}

type RateSettings = Pick<
  PretrainOptions,
  'learningRate' | 'finalLearningRate' | 'warmUpUpdates' | 'referenceTicks' | 'accumulate' | 'budget'
>;

/** Linear warm-up by updates, then a cosine over the whole budget; or both by micro-steps, the cosine after the warm-up (spec §5.4). */
export function learningRateOf(options: RateSettings, update: number, progress: number): number {
  const { learningRate: peak, finalLearningRate: final, warmUpUpdates, accumulate, budget } = options;
  if (countsAsReference(options) && budget.kind === 'updates') {
    const warmUpSteps = warmUpUpdates * accumulate;
    const schedule = { peak, final, warmUpSteps, decaySteps: budget.updates * accumulate };
    return learningRateAt(schedule, referenceBatches(update, accumulate).tick);
  }
  if (update < warmUpUpdates) return (peak * (update + 1)) / warmUpUpdates;
  return learningRateAt({ peak, final, warmUpSteps: 0, decaySteps: 1 }, progress);
}

function countsAsReference({ referenceTicks, budget }: Pick<PretrainOptions, 'referenceTicks' | 'budget'>): boolean {
  return referenceTicks === true && budget.kind === 'updates';
}

function batchesOf(options: PretrainOptions, update: number): { readonly first: number; readonly count: number } {
  if (countsAsReference(options)) return referenceBatches(update, options.accumulate);
  return { first: update * options.accumulate, count: options.accumulate };
}

function heldOutLoss({ heldOut, tensors }: LoopParts, batch: BatchArrays): number | undefined {
  if (heldOut === undefined) return undefined;
  let sum = 0;
  for (let index = 0; index < HELD_OUT_BATCHES; index++) {
    heldOut.sampler.fill(batch, index);
    sum += heldOut.graph.run(tensors.parameters, batch);
  }
  return sum / HELD_OUT_BATCHES;
}

/** Sums of what happened since the previous report. */
class ReportInterval {
  readonly sinceMs: number;
  count = 0;
  #loss = 0;
  #gradientNorm = 0;
  #learningRate = 0;

  constructor(sinceMs: number) {
    this.sinceMs = sinceMs;
  }

  add({ loss, gradientNorm, learningRate }: { loss: number; gradientNorm: number; learningRate: number }): void {
    this.count++;
    this.#loss += loss;
    this.#gradientNorm += gradientNorm;
    this.#learningRate = learningRate;
  }

  summary(
    { batchSize, accumulate, budget }: PretrainOptions,
    now: { position: LoopPosition; progress: number; elapsedMs: number },
  ): PretrainProgress {
    const seconds = (now.elapsedMs - this.sinceMs) / 1000;
    const updatesPerSecond = this.count / Math.max(seconds, 1e-3);
    const secondsLeft =
      budget.kind === 'minutes'
        ? budget.minutes * 60 - now.elapsedMs / 1000
        : (budget.updates - now.position.update) / updatesPerSecond;
    return {
      type: 'progress',
      update: now.position.update,
      progress: now.progress,
      loss: this.#loss / this.count,
      learningRate: this.#learningRate,
      gradientNorm: this.#gradientNorm / this.count,
      windowsPerSecond: updatesPerSecond * batchSize * accumulate,
      elapsedSeconds: now.elapsedMs / 1000,
      secondsLeft: Math.max(0, secondsLeft),
    };
  }
}

interface Stopwatch {
  elapsedMs(): number;
  pause(): void;
  resume(): void;
}

/** Counts on from what an earlier session had used. */
function stopwatch(startMs: number): Stopwatch {
  let counted = startMs;
  let runningSince: number | undefined = performance.now();
  return {
    elapsedMs: () => counted + (runningSince === undefined ? 0 : performance.now() - runningSince),
    pause: () => {
      counted += runningSince === undefined ? 0 : performance.now() - runningSince;
      runningSince = undefined;
    },
    resume: () => {
      runningSince ??= performance.now();
    },
  };
}
