import type { RunState, RunSummary } from '../../protocol/dashboard-views.ts';
import type { TaskId, TaskSpec } from '../../protocol/task.ts';
import { L2mError, errorFromUnknown } from '../errors.ts';
import type { EpisodeRecord, Provenance, RunChange, ScoredEpisode } from '../store/records.ts';
import { FINAL_STATES, isAssisted, scoredEpisodeOf } from '../store/records.ts';
import { newRunId } from '../store/run-id.ts';
import type { RunStore } from '../store/run-store.ts';
import { ActiveRun, type EpisodeReport } from './active-run.ts';
import type { ActingPolicy } from './acting-policy.ts';
import type { RolloutEngine } from './engine.ts';
import { episodeRecord } from './episode-record.ts';
import type { Trajectory } from './episode-recorder.ts';
import { planKey, type EpisodePlan } from './plan.ts';
import { plannedTasks, plansOf } from './planned-run.ts';
import { RunLedger } from './run-ledger.ts';
import type { RunRequest } from './run-request.ts';
import { assertSameRun } from './same-run.ts';

export interface RunServiceDependencies {
  readonly store: RunStore;
  readonly engine: RolloutEngine;
  readonly describe: (tasks: readonly TaskId[]) => Promise<readonly TaskSpec[]>;
  /** Prepares whoever acts; loads a checkpoint into the agent host if need be. */
  readonly policyFor: (request: RunRequest) => Promise<{ policy: ActingPolicy; checkpointHash: string | null }>;
  readonly provenance: () => Provenance;
  readonly maxAttempts: number;
  readonly events: RunServiceEvents;
}

export interface RunServiceEvents {
  readonly updated: (summary: RunSummary) => void;
  readonly episode: (report: EpisodeReport, record: EpisodeRecord) => void;
  readonly notice: (level: 'info' | 'warning' | 'error', text: string) => void;
}

/** Called with each finished episode of a collecting run; a promise that rejects ends the run. */
export type TrajectoryTaker = (plan: EpisodePlan, trajectory: Trajectory) => Promise<void>;

export interface StartOptions {
  /** A run to go on with: only what it still owes is done. */
  readonly resume?: string;
  readonly take?: TrajectoryTaker;
  /** Acts instead of what the request names: a policy that lives only as long as its training. */
  readonly policy?: ActingPolicy;
  /** Episodes that need not be run. */
  readonly skip?: (task: TaskId, start: number) => boolean;
}

export interface RunHandle {
  readonly run: string;
  summary(): RunSummary;
  /** Resolves when the run is over, whatever its final state. */
  readonly over: Promise<RunSummary>;
}

interface Live {
  readonly active: ActiveRun;
  readonly ledger: RunLedger;
  readonly handle: RunHandle;
  readonly attemptsBefore: ReadonlyMap<string, number>;
  readonly writing: Set<Promise<void>>;
  failure: L2mError | undefined;
}

/** Runs from the outside: start, resume after a crash, pause, stop, drain; every finished episode goes to the store at once. */
export class RunService {
  readonly #dependencies: RunServiceDependencies;
  readonly #live = new Map<string, Live>();

  constructor(dependencies: RunServiceDependencies) {
    this.#dependencies = dependencies;
  }

  summaries(): RunSummary[] {
    return [...this.#live.values()].map(({ ledger }) => ledger.summary());
  }

  /** Cheaper than a summary: asked for every message of a person who steers. */
  standing(run: string): { readonly state: RunState; readonly kind: RunRequest['kind'] } | undefined {
    return this.#live.get(run)?.ledger.standing;
  }

  handle(run: string): RunHandle | undefined {
    return this.#live.get(run)?.handle;
  }

  /**
   * Starts a run, or resumes `resume`, which must have been started with an equal request.
   * @throws L2M_TASK_UNKNOWN, L2M_TASK_UNSUPPORTED, L2M_START_UNKNOWN, L2M_CHECKPOINT_INVALID, L2M_RUN_UNKNOWN, L2M_RUN_MISMATCH
   */
  async start(request: RunRequest, options: StartOptions = {}): Promise<RunHandle> {
    const { describe, policyFor, store } = this.#dependencies;
    const described = describe(request.tasks);
    // If the policy fails first, nobody is left to hear that the description failed too.
    described.catch(() => undefined);
    const prepared =
      options.policy === undefined ? await policyFor(request) : { policy: options.policy, checkpointHash: null };
    const { policy, checkpointHash } = prepared;
    const specs = await described;
    for (const spec of specs) policy.assertSupports(spec);
    await policy.prepare?.(specs);
    const plans = plansOf(request).filter(({ task, start }) => options.skip?.(task, start) !== true);
    const run = options.resume ?? newRunId(request.kind, new Date());
    let past: readonly ScoredEpisode[] = [];
    let failed: readonly ScoredEpisode[] = [];
    if (options.resume === undefined) {
      await store.createRun({
        run,
        kind: request.kind,
        state: 'running',
        policy: policy.name,
        protocol: request.protocol,
        seed: request.seed,
        checkpointHash,
        tasks: plannedTasks(request, plans),
        configuration: { ...request },
        provenance: this.#dependencies.provenance(),
      });
    } else {
      await this.#assertResumable(run, request, checkpointHash);
      const latest = await store.latestEpisodes(run);
      // What a person had a part in is owed like what failed: a resumed run ends with a whole score.
      const owed = (episode: ScoredEpisode): boolean => episode.outcome === 'error' || isAssisted(episode);
      past = latest.filter((episode) => !owed(episode));
      failed = latest.filter(owed);
      await store.updateRun(run, { state: 'running', message: 'resumed' });
    }
    const attemptsBefore = new Map(failed.map((episode) => [planKey(episode), episode.attempt]));
    return this.#begin({ run, request, policy, plans, past, attemptsBefore, take: options.take });
  }

  pause(run: string): void {
    const live = this.#require(run);
    this.#dependencies.engine.pause(live.active);
    this.#changed(live, { state: 'paused' });
  }

  resume(run: string): void {
    const live = this.#require(run);
    this.#dependencies.engine.resume(live.active);
    this.#changed(live, { state: 'running' });
  }

  stop(run: string): void {
    const live = this.#require(run);
    this.#dependencies.engine.stop(live.active);
  }

  /** Finishes the episodes under way, starts no more, and waits, but at most `deadlineMs`; then stops what is left. */
  async drain(deadlineMs: number): Promise<void> {
    const draining = [...this.#live.values()].filter(({ active }) => active.phase !== 'over');
    for (const live of draining) {
      this.#changed(live, { state: 'draining' });
      this.#dependencies.engine.drain(live.active);
    }
    const late = new Promise<void>((resolve) => setTimeout(resolve, deadlineMs).unref());
    await Promise.race([Promise.all(draining.map(({ handle }) => handle.over)), late]);
    for (const live of draining) this.#dependencies.engine.stop(live.active);
    await Promise.all(draining.map(({ handle }) => handle.over));
  }

  /** Ends every run with an error, for instance because no worker is left. */
  fail(error: L2mError): void {
    for (const { active } of this.#live.values()) {
      if (active.phase !== 'over') this.#dependencies.engine.stop(active, error);
    }
  }

  #begin(start: {
    readonly run: string;
    readonly request: RunRequest;
    readonly policy: ActingPolicy;
    readonly plans: readonly EpisodePlan[];
    readonly past: readonly ScoredEpisode[];
    /** Attempts that ended in errors before a resume: the store counts on from them. */
    readonly attemptsBefore: ReadonlyMap<string, number>;
    readonly take: TrajectoryTaker | undefined;
  }): RunHandle {
    const { run, request, policy, plans, past } = start;
    const ledger = new RunLedger({
      ...{ run, request, policy: policy.name, past },
      planned: plannedTasks(request, plans),
      horizons: new Map(plans.map(({ task, horizon }) => [task, horizon] as const)),
    });
    const finishedKeys = new Set(past.map(planKey));
    let settle: (summary: RunSummary) => void = () => undefined;
    const over = new Promise<RunSummary>((resolve) => (settle = resolve));
    const active = new ActiveRun({
      id: run,
      policy,
      plans: plans.filter((plan) => !finishedKeys.has(planKey(plan))),
      keepTrajectories: start.take !== undefined,
      maxAttempts: this.#dependencies.maxAttempts,
      onEpisode: (report) => this.#episodeEnded(live, report, start.take),
      onRedone: (plan, reason) => {
        ledger.redone();
        this.#changed(live, { redoneEpisodes: ledger.summary().redoneEpisodes });
        this.#dependencies.events.notice('warning', `${planKey(plan)} is redone: ${reason}`);
      },
      onOver: (error) => void this.#finish(live, error).then(settle),
    });
    const handle: RunHandle = { run, summary: () => ledger.summary(), over };
    const { attemptsBefore } = start;
    const live: Live = {
      ...{ active, ledger, handle, attemptsBefore },
      ...{ writing: new Set<Promise<void>>(), failure: undefined },
    };
    this.#live.set(run, live);
    ledger.state('running', '');
    this.#dependencies.events.updated(ledger.summary());
    this.#dependencies.engine.add(active);
    return handle;
  }

  #episodeEnded(live: Live, report: EpisodeReport, take: TrajectoryTaker | undefined): void {
    const spec = this.#dependencies.engine.specOf(report.plan.task);
    const attempt = report.attempt + (live.attemptsBefore.get(planKey(report.plan)) ?? 0);
    const record = episodeRecord(live.active.id, { ...report, attempt }, spec);
    const writes = [this.#dependencies.store.recordEpisode(record)];
    const trajectory = report.end.kind === 'finished' ? report.end.outcome.trajectory : undefined;
    if (take !== undefined && trajectory !== undefined) writes.push(take(report.plan, trajectory));
    // Counted only when it is durable: what the progress line shows as finished survives a kill of this process.
    const writing = Promise.all(writes).then(
      () => {
        live.ledger.add(scoredEpisodeOf(record));
        this.#dependencies.events.episode(report, record);
        this.#dependencies.events.updated(live.ledger.summary());
      },
      (reason: unknown) => this.#writeFailed(live, reason),
    );
    live.writing.add(writing);
    void writing.finally(() => live.writing.delete(writing));
  }

  #writeFailed(live: Live, reason: unknown): void {
    live.failure ??= errorFromUnknown(reason);
    this.#dependencies.engine.stop(live.active, live.failure);
  }

  async #finish(live: Live, error: L2mError | undefined): Promise<RunSummary> {
    await Promise.all(live.writing);
    const failure = error ?? live.failure;
    const owed = live.ledger.owed;
    const message = failure ? `${failure.code}: ${failure.message}` : owed > 0 ? `${owed} episodes are left` : '';
    live.ledger.state(failure ? 'failed' : owed > 0 ? 'stopped' : 'finished', message);
    try {
      await this.#dependencies.store.updateRun(live.active.id, { state: live.ledger.summary().state, message });
      await this.#dependencies.store.flush();
    } catch (reason) {
      const storeFailure = errorFromUnknown(reason);
      live.ledger.state('failed', `${storeFailure.code}: ${storeFailure.message}`);
    }
    const summary = live.ledger.summary();
    this.#dependencies.events.updated(summary);
    return summary;
  }

  #changed(live: Live, change: RunChange): void {
    if (change.state !== undefined) live.ledger.state(change.state, '');
    this.#dependencies.events.updated(live.ledger.summary());
    this.#dependencies.store
      .updateRun(live.active.id, change)
      .catch((reason: unknown) => this.#writeFailed(live, reason));
  }

  async #assertResumable(run: string, request: RunRequest, checkpointHash: string | null): Promise<void> {
    if (this.#live.has(run)) throw new L2mError('L2M_RUN_MISMATCH', `${run} is running`);
    assertSameRun(await this.#dependencies.store.getRun(run), request, checkpointHash);
  }

  #require(run: string): Live {
    const live = this.#live.get(run);
    if (live === undefined) throw new L2mError('L2M_RUN_UNKNOWN', JSON.stringify(run));
    const { state } = live.ledger.summary();
    if (FINAL_STATES.includes(state)) throw new L2mError('L2M_RUN_STATE', `${run} is ${state}`);
    return live;
  }
}
