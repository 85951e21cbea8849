import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { returnScale } from '../../agent/scoring/normalized-score.ts';
import type { TaskSpec } from '../../protocol/task.ts';
import type { LiveServer } from '../build-server.ts';
import { L2mError } from '../errors.ts';
import type { FinishedTrajectories } from '../learning/trajectory-output.ts';
import { openTrajectoryWriter, type TrajectoryWriter } from '../learning/trajectory-writer.ts';
import { sizesOf } from '../learning/trajectory-format.ts';
import type { RunHandle } from '../rollouts/run-service.ts';
import type { RunRequest } from '../rollouts/run-request.ts';
import { deterministicPolicy } from './deterministic-policy.ts';
import {
  checkExpertOptions,
  decisionsOf,
  expertFingerprint,
  expertSettings,
  type ExpertOptions,
} from './expert-options.ts';
import { openCurve, type CurvePoint } from './learning-curve.ts';
import { LearnerHost } from './learner-host.ts';
import type { LearnerReport } from './learner-messages.ts';
import type { LearnerPosition } from './learner.ts';
import { lockstepPolicy } from './lockstep-policy.ts';
import { replayEpisodeOf } from './replay-episode.ts';
import { openTrainingRun, type TrainingRun } from './training-run.ts';

export interface ExpertHooks {
  note(text: string): void;
  progress(progress: ExpertProgress): void;
  /** Aborting stops at the next decision, saves and returns. */
  readonly signal?: AbortSignal;
}

export interface ExpertProgress {
  readonly steps: number;
  readonly totalSteps: number;
  readonly updates: number;
  /** While learning. */
  readonly updatesPerSecond: number;
  readonly evaluation: CurvePoint | undefined;
  readonly secondsLeft: number | null;
}

export interface ExpertResult {
  readonly outcome: 'finished' | 'stopped';
  readonly steps: number;
  readonly updates: number;
  readonly evaluation: CurvePoint | undefined;
  /** Mean return of the reference's data set (spec §6.5), to compare with; null where the table has no usable row. */
  readonly dataMean: number | null;
  readonly data: FinishedTrajectories | undefined;
}

/** Start states of evaluations are those of `l2m evaluate`, so figures can be compared. */
const EVALUATION_SEED = 42;

/**
 * Trains one expert online with soft actor-critic against the server's own simulators, and keeps all it saw as trajectories. The same
 * settings give the same expert, interrupted or not.
 * @throws L2mError L2M_CONFIG_INVALID, L2M_RUN_MISMATCH, L2M_DATA_INVALID, L2M_STORE_UNWRITABLE, L2M_AGENT_LOST, L2M_SIMULATOR_FAULT
 */
export async function trainExpert(
  server: LiveServer,
  options: ExpertOptions,
  hooks: ExpertHooks,
): Promise<ExpertResult> {
  checkExpertOptions(options);
  if (options.overwrite) await rm(options.folder, { recursive: true, force: true });
  const [spec] = await server.describe([options.task]);
  const writer = await openWriter(server, options, spec!);
  const training = new ExpertTraining({
    server,
    options,
    hooks,
    writer,
    shape: { ...sizesOf(spec!), hidden: options.hidden },
  });
  try {
    return await training.run();
  } finally {
    await training.close();
  }
}

function openWriter(server: LiveServer, options: ExpertOptions, spec: TaskSpec): Promise<TrajectoryWriter> {
  return openTrajectoryWriter({
    ...{ folder: options.trajectoryFolder, task: options.task, source: options.source, spec },
    provenance: {
      identity: {
        ...{ policy: 'soft actor-critic', protocol: 'l2m-paper', seed: options.seed, horizon: options.horizon },
        training: expertFingerprint(options),
      },
      notes: {
        settings: expertSettings(options),
        command: process.argv.slice(2).join(' '),
        versions: { ...server.fleet.versions() },
      },
    },
    ...(options.overwrite ? { overwriteSource: true } : {}),
  });
}

interface Parts {
  readonly server: LiveServer;
  readonly options: ExpertOptions;
  readonly hooks: ExpertHooks;
  readonly writer: TrajectoryWriter;
  readonly shape: { readonly observationSize: number; readonly actionSize: number; readonly hidden: readonly number[] };
}

class ExpertTraining {
  readonly #parts: Parts;
  readonly #learner: LearnerHost;
  readonly #startMs = performance.now();
  readonly #abort = new AbortController();
  #failure: unknown;
  #position: LearnerPosition = { round: 0, decisions: 0, updates: 0 };
  #stepsBefore = 0;
  #report: LearnerReport | undefined;
  #evaluation: CurvePoint | undefined;
  #writerOpen = true;

  constructor(parts: Parts) {
    this.#parts = parts;
    this.#learner = new LearnerHost(join(parts.options.folder, 'learner.log'), (report) => {
      this.#report = report;
      this.#position = report.position;
    });
  }

  async run(): Promise<ExpertResult> {
    const { options, hooks, shape } = this.#parts;
    const { folder, resume, backend } = options;
    const begun = await this.#learner.begin({ settings: expertSettings(options), shape, folder, resume, backend });
    this.#position = begun.position;
    this.#stepsBefore = this.#steps;
    hooks.note(begun.backend + (this.#steps > 0 ? `; going on after ${this.#steps} steps` : ''));
    await this.#restoreReplay();
    const storeRun = await openTrainingRun(this.#parts.server, options);
    const curve = openCurve(join(folder, 'curve.jsonl'), this.#steps);
    const timers = this.#timers();
    try {
      const { round: first, history } = this.#whereToStart(begun.history);
      const policy = this.#trainingPolicy(first, history);
      const rounds = Math.ceil(options.steps / this.#roundSteps);
      const between = Math.max(1, Math.round(options.evaluateEvery / this.#roundSteps));
      for (let round = first; round < rounds && !this.#stopped;) {
        const end = Math.min(rounds, (Math.floor(round / between) + 1) * between);
        await this.#runRounds(policy, round, end - round);
        round = end;
        if (!this.#stopped) await this.#evaluate(storeRun, curve);
      }
      const { position } = await this.#learner.save();
      this.#position = position;
      if (this.#evaluation === undefined && !this.#stopped) await this.#evaluate(storeRun, curve);
      const outcome = this.#stopped ? 'stopped' : 'finished';
      await storeRun.end(outcome);
      return await this.#result(outcome);
    } catch (cause) {
      await storeRun.end('failed').catch(() => undefined);
      throw this.#failure ?? cause;
    } finally {
      timers.clear();
    }
  }

  async close(): Promise<void> {
    await this.#learner.close();
    if (this.#writerOpen) await this.#parts.writer.close();
  }

  get #roundSteps(): number {
    return this.#parts.options.lanes * this.#parts.options.horizon;
  }

  get #steps(): number {
    const { lanes, actionRepeat } = this.#parts.options;
    return (this.#position.round * decisionsOf(this.#parts.options) + this.#position.decisions) * lanes * actionRepeat;
  }

  get #stopped(): boolean {
    return this.#abort.signal.aborted || this.#parts.hooks.signal?.aborted === true;
  }

  /** A round whose episodes are all kept is over; any other is brought to where it was. */
  #whereToStart(history: readonly Float32Array[]): { round: number; history: readonly Float32Array[] } {
    const { options, writer } = this.#parts;
    const { round, decisions } = this.#position;
    const numbers = Array.from({ length: options.lanes }, (_, lane) => round * options.lanes + lane);
    const over = decisions === decisionsOf(options) && numbers.every((number) => writer.hasEpisode(number, 0));
    return over ? { round: round + 1, history: [] } : { round, history };
  }

  /** Gives the learner the finished episodes of earlier sessions. */
  async #restoreReplay(): Promise<void> {
    const { options, writer, shape } = this.#parts;
    const wanted = this.#position.round * options.lanes;
    let found = 0;
    for await (const episode of writer.kept()) {
      if (episode.start >= wanted) break;
      await this.#learner.put({ number: episode.start, episode: replayEpisodeOf(episode, shape, options) });
      found++;
    }
    if (found === wanted) return;
    throw new L2mError(
      'L2M_DATA_INVALID',
      `${writer.path} has ${found} of the ${wanted} episodes that were learned from`,
      {
        hint: 'Bring the file back, or start over with --overwrite.',
      },
    );
  }

  #trainingPolicy(round: number, history: readonly Float32Array[]) {
    const { options, shape } = this.#parts;
    return lockstepPolicy({
      ...{ name: `learner ${options.source}`, lanes: options.lanes, actionRepeat: options.actionRepeat, firstStart: 0 },
      ...{ decisions: decisionsOf(options), observationSize: shape.observationSize, actionSize: shape.actionSize },
      ...{ round, history },
      decide: (observations, rewards) => this.#learner.decide(observations, rewards),
      halted: () => this.#stopped,
      failed: (reason) => this.#fail(reason),
    });
  }

  async #runRounds(policy: ReturnType<typeof lockstepPolicy>, round: number, count: number): Promise<void> {
    const { options, writer, server } = this.#parts;
    const handle = await server.runs.start(
      this.#request('collect', {
        episodes: count * options.lanes,
        firstStart: round * options.lanes,
        seed: options.seed,
      }),
      {
        policy,
        // What was done is what is to be learned: the paper's data are the actions of the learning policy.
        take: (plan, trajectory) =>
          writer.append({ start: plan.start, noise: 0, ...trajectory, targets: trajectory.actions }),
      },
    );
    await this.#finished(handle);
  }

  async #evaluate(storeRun: TrainingRun, curve: ReturnType<typeof openCurve>): Promise<void> {
    const { options, shape, server } = this.#parts;
    // Everything learned so far is in: the learner answers in order.
    this.#position = (await this.#learner.save()).position;
    const policy = deterministicPolicy({
      ...{ name: `expert ${options.source}`, actionRepeat: options.actionRepeat, lanes: options.lanes },
      ...{ observationSize: shape.observationSize, actionSize: shape.actionSize },
      choose: (observations) => this.#learner.choose(observations),
    });
    const episodes = options.evaluationEpisodes;
    const handle = await server.runs.start(
      this.#request('evaluate', { episodes, firstStart: 0, seed: EVALUATION_SEED }),
      {
        policy,
      },
    );
    await this.#finished(handle);
    const score = handle.summary().tasks[0];
    if (this.#stopped || score?.meanReturn === undefined || score.meanReturn === null) return;
    const { meanReturn, normalizedScore } = score;
    this.#evaluation = {
      ...{ steps: this.#steps, updates: this.#position.updates, meanReturn, normalizedScore, episodes },
      updatesPerSecond: this.#report?.updatesPerSecond ?? 0,
      temperature: this.#report?.figures.temperature ?? 0,
      criticLoss: this.#report?.figures.criticLoss ?? 0,
    };
    curve.append(this.#evaluation);
    await storeRun.record(this.#evaluation);
    this.#parts.hooks.note(`return ${meanReturn.toFixed(1)} after ${this.#steps} steps`);
  }

  #request(kind: 'collect' | 'evaluate', own: Pick<RunRequest, 'episodes' | 'firstStart' | 'seed'>): RunRequest {
    const { task, source, horizon } = this.#parts.options;
    const policy = { kind: 'learner', name: source } as const;
    return { kind, tasks: [task], protocol: 'l2m-paper', policy, horizon, ...own };
  }

  /** Waits for the end of a run, or until this training is stopped or has failed, which ends the run. */
  async #finished(handle: RunHandle): Promise<void> {
    const aborted = abortOf(this.#abort.signal, this.#parts.hooks.signal);
    const watch = setInterval(() => {
      if (handle.summary().errorEpisodes > 0) {
        this.#fail(new L2mError('L2M_SIMULATOR_FAULT', `an episode of ${handle.run} cannot be simulated`));
      }
    }, 1000);
    try {
      await Promise.race([handle.over, aborted.promise]);
      const { state } = handle.summary();
      if (this.#stopped && (state === 'running' || state === 'starting')) {
        this.#parts.server.runs.stop(handle.run);
        await handle.over;
      }
      if (this.#failure !== undefined) throw this.#failure as Error;
      if (!this.#stopped && handle.summary().state !== 'finished') {
        throw new L2mError('L2M_SIMULATOR_FAULT', handle.summary().message || `${handle.run} did not finish`);
      }
    } finally {
      clearInterval(watch);
      aborted.forget();
    }
  }

  #fail(reason: unknown): void {
    this.#failure ??= reason;
    this.#abort.abort();
  }

  #timers(): { clear(): void } {
    const { options, hooks } = this.#parts;
    const saving = setInterval(() => {
      this.#learner.save().catch((reason: unknown) => this.#fail(reason));
    }, options.saveEveryMinutes * 60_000);
    const showing = setInterval(() => hooks.progress(this.#progress()), 250);
    const limit =
      options.minutes === undefined ? undefined : setTimeout(() => this.#abort.abort(), options.minutes * 60_000);
    return {
      clear: () => {
        clearInterval(saving);
        clearInterval(showing);
        clearTimeout(limit);
      },
    };
  }

  #progress(): ExpertProgress {
    const totalSteps = Math.ceil(this.#parts.options.steps / this.#roundSteps) * this.#roundSteps;
    const seconds = (performance.now() - this.#startMs) / 1000;
    const done = this.#steps - this.#stepsBefore;
    return {
      ...{ steps: this.#steps, totalSteps, updates: this.#position.updates, evaluation: this.#evaluation },
      updatesPerSecond: this.#report?.updatesPerSecond ?? 0,
      secondsLeft: done > 0 ? ((totalSteps - this.#steps) / done) * seconds : null,
    };
  }

  async #result(outcome: ExpertResult['outcome']): Promise<ExpertResult> {
    const { writer, options } = this.#parts;
    let data: FinishedTrajectories | undefined;
    if (writer.finishedStarts().size > 0) {
      data = await writer.finish();
      this.#writerOpen = false;
    }
    return {
      ...{ outcome, steps: this.#steps, updates: this.#position.updates, evaluation: this.#evaluation, data },
      dataMean: returnScale(options.task)?.one ?? null,
    };
  }
}

function abortOf(...signals: readonly (AbortSignal | undefined)[]): { promise: Promise<void>; forget(): void } {
  let listener: () => void = () => undefined;
  const promise = new Promise<void>((resolve) => {
    listener = () => resolve();
    for (const signal of signals) {
      if (signal?.aborted === true) resolve();
      else signal?.addEventListener('abort', listener);
    }
  });
  return { promise, forget: () => signals.forEach((signal) => signal?.removeEventListener('abort', listener)) };
}
