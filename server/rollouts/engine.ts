import type { TaskId, TaskSpec } from '../../protocol/task.ts';
import type { ReadySession } from '../simulators/session.ts';
import type { TickRow } from '../simulators/tick-rows.ts';
import type { TickTiming } from '../simulators/worker-events.ts';
import type { WorkerHub } from '../simulators/worker-hub.ts';
import type { ActiveRun } from './active-run.ts';
import type { AttentionChoice } from '../../protocol/policy-messages.ts';
import type { Decision, Inspection } from './acting-policy.ts';
import { EpisodeRecorder } from './episode-recorder.ts';
import { DecidedSteps } from './decided-steps.ts';
import type { EpisodePlan } from './plan.ts';
import type { RunningEpisode } from './running-episode.ts';
import { OPEN_GATE, type StepGate } from './step-gate.ts';
import type { RunningView, StepObserver } from './step-observer.ts';

/**
 * Runs episodes: hands plans to free environments, asks the policy for every row, sends the actions back when the gate lets
 * them. Single-threaded and event-driven; it holds no timers and waits for nothing but its events.
 */
export class RolloutEngine {
  readonly #hub: WorkerHub;
  readonly #decidedSteps: DecidedSteps;
  readonly #observer: StepObserver;
  readonly #specs: ReadonlyMap<TaskId, TaskSpec>;
  readonly #runs: ActiveRun[] = [];
  readonly #running = new Map<number, RunningEpisode>();
  readonly #lastTask = new Map<string, TaskId>();
  #nextEpisode = 1;
  #turn = 0;

  constructor(
    ...[hub, specs, observer, gate = OPEN_GATE]: [
      hub: WorkerHub,
      specs: ReadonlyMap<TaskId, TaskSpec>,
      observer: StepObserver,
      gate?: StepGate,
    ]
  ) {
    this.#hub = hub;
    this.#specs = specs;
    this.#observer = observer;
    this.#decidedSteps = new DecidedSteps(hub, gate, observer);
  }

  /** Environments with an episode under way that does not rest: how many decisions can be wanted at once. */
  get busy(): number {
    return this.#running.size - this.#decidedSteps.resting;
  }

  views(): Iterable<RunningView> {
    return this.#running.values();
  }

  /**
   * What lies behind the newest decision in an environment; may never come if the episode ends before it decides again.
   * @returns null if nothing lies behind the decisions of its policy, undefined if no episode is under way there
   */
  inspect(key: string, attention: AttentionChoice | null): Promise<Inspection> | null | undefined {
    for (const running of this.#running.values()) {
      if (running.key === key) return running.policy.inspect?.(attention) ?? null;
    }
    return undefined;
  }

  /** The specification of a task that has been planned. */
  specOf(task: TaskId): TaskSpec {
    const spec = this.#specs.get(task);
    if (spec === undefined) throw new RangeError(`${task} was planned before it was described`);
    return spec;
  }

  /** The specifications of all tasks in the run's plans must be known before. */
  add(run: ActiveRun): void {
    this.#runs.push(run);
    this.fill();
    if (run.queue.left === 0 && run.underWay === 0) run.close(undefined);
  }

  pause(run: ActiveRun): void {
    run.pause();
  }

  resume(run: ActiveRun): void {
    run.resume();
    this.#proceedAll(run);
    this.fill();
  }

  /** Takes the next step of an episode if it is decided and the gate lets it: to be called when the gate may have opened. */
  proceed(episode: number): void {
    const running = this.#running.get(episode);
    if (running !== undefined) this.#decidedSteps.proceed(running);
  }

  /**
   * Begins an episode anew from its start state in the same environment; the steps so far are forgotten, and it is the same
   * attempt. Nothing happens if it is over or its run starts nothing any more.
   */
  restart(episode: number): void {
    const running = this.#running.get(episode);
    if (running === undefined || running.owner.phase === 'draining') return;
    const { owner, worker, environment, key } = running;
    this.#forget(running);
    this.#hub.release(worker, environment, episode);
    owner.restarted();
    this.#start(owner, running, { worker, environment, key });
  }

  /** Ends a run at once; its environments are freed. */
  stop(run: ActiveRun, error?: Parameters<ActiveRun['close']>[0]): void {
    for (const running of [...this.#running.values()]) {
      if (running.owner !== run) continue;
      this.#forget(running);
      this.#hub.release(running.worker, running.environment, running.episode);
    }
    run.close(error);
    this.#sweep();
    this.fill();
  }

  drain(run: ActiveRun): void {
    this.resume(run);
    run.drain();
    this.#proceedAll(run);
    this.#sweep();
  }

  /** Hands plans to free environments, one per run in turn, so that several runs share the simulators fairly. */
  fill(): void {
    for (const [worker, session] of this.#hub.sessions()) {
      for (const [environment, slot] of session.slots.entries()) {
        if (slot.state === 'free' && !this.#startOne(worker, session, environment)) return;
      }
    }
  }

  onRows(rows: readonly TickRow[], timing: TickTiming): void {
    const nowMs = performance.now();
    let [steps, roundTripMs, totalMs] = [0, 0, 0];
    for (const row of rows) {
      const running = this.#running.get(row.episode);
      if (running === undefined) continue;
      if (row.step > 0) {
        steps += 1;
        roundTripMs = Math.max(roundTripMs, nowMs - running.actedMs);
        totalMs = Math.max(totalMs, nowMs - running.shownMs);
      }
      running.shownMs = nowMs;
      this.#onRow(running, row);
    }
    if (steps === 0) return;
    const { simulateMs } = timing;
    this.#observer.timed({ steps, simulateMs, transportMs: Math.max(0, roundTripMs - simulateMs), totalMs });
  }

  onFault(fault: { episode: number; code: string; message: string }): void {
    const running = this.#running.get(fault.episode);
    if (running === undefined) return;
    this.#lose(running, fault.code, fault.message);
    this.fill();
  }

  onWorkerLost(worker: string, reason: string): void {
    for (const running of [...this.#running.values()]) {
      if (running.worker === worker) this.#lose(running, 'L2M_WORKER_LOST', `${worker} was lost: ${reason}`);
    }
    this.fill();
  }

  #startOne(worker: string, session: ReadySession, environment: number): boolean {
    const key = `${worker}:${environment}`;
    const hosts = (task: TaskId) => session.tasks.has(task);
    for (const run of this.#inTurn()) {
      if (!run.hungry) continue;
      const attempt = run.queue.next(this.#lastTask.get(key), hosts);
      if (attempt === undefined) continue;
      this.#start(run, attempt, { worker, environment, key });
      return true;
    }
    return this.#runs.some((run) => run.hungry);
  }

  /** All runs, beginning with another one each time. */
  #inTurn(): ActiveRun[] {
    const first = this.#turn++ % Math.max(1, this.#runs.length);
    return [...this.#runs.slice(first), ...this.#runs.slice(0, first)];
  }

  #start(
    run: ActiveRun,
    { plan, attempt }: { plan: EpisodePlan; attempt: number },
    place: { worker: string; environment: number; key: string },
  ): void {
    const spec = this.specOf(plan.task);
    const episode = this.#nextEpisode++;
    const running: RunningEpisode = {
      ...place,
      run: run.id,
      owner: run,
      episode,
      plan,
      attempt,
      recorder: new EpisodeRecorder(plan, spec, run.keepTrajectories),
      policy: run.policy.begin(spec, plan),
      actedMs: performance.now(),
      shownMs: performance.now(),
      held: undefined,
      restsSinceMs: undefined,
    };
    this.#running.set(episode, running);
    this.#lastTask.set(place.key, plan.task);
    run.started();
    const { task, start, seed, protocol, horizon, actor } = plan;
    this.#hub.assign(place.worker, {
      ...{ environment: place.environment, episode },
      ...{ task, start, seed, protocol, horizon, actor },
      ...(this.#observer.wantsPoses?.(plan) === true ? { poses: true } : {}),
    });
    this.#observer.started(running);
  }

  #onRow(running: RunningEpisode, row: TickRow): void {
    running.recorder.row(row);
    if (row.finished) {
      this.#observer.stepped(running, row, undefined);
      this.#finish(running, row.unstable);
      return;
    }
    const decision = running.policy.decide(row);
    if (!(decision instanceof Promise)) {
      this.#observer.stepped(running, row, decision);
      this.#decided(running, row.step, decision);
      return;
    }
    this.#observer.stepped(running, row, undefined);
    const step = row.step;
    decision.then(
      (reached) => this.#decided(running, step, reached),
      (reason: unknown) => {
        if (this.#running.get(running.episode) !== running) return;
        const message = reason instanceof Error ? reason.message : String(reason);
        this.#hub.release(running.worker, running.environment, running.episode);
        this.#lose(running, 'L2M_AGENT_LOST', message);
        this.fill();
      },
    );
  }

  #decided(running: RunningEpisode, step: number, decision: Decision): void {
    // The worker may have been lost, or the run stopped, while the policy was thinking.
    if (this.#running.get(running.episode) !== running) return;
    running.recorder.decided(step, decision);
    this.#decidedSteps.decided(running, decision);
  }

  #proceedAll(run: ActiveRun): void {
    for (const running of this.#running.values()) if (running.owner === run) this.#decidedSteps.proceed(running);
  }

  #finish(running: RunningEpisode, unstable: boolean): void {
    if (unstable) {
      this.#lose(running, 'L2M_SIMULATOR_FAULT', 'the simulation became unstable');
      this.fill();
      return;
    }
    this.#forget(running);
    running.owner.ended({ ...reportOf(running), end: { kind: 'finished', outcome: running.recorder.finish() } });
    this.#sweep();
    this.fill();
  }

  #lose(running: RunningEpisode, code: string, message: string): void {
    this.#forget(running);
    running.owner.lost(reportOf(running), code, message);
    this.#sweep();
  }

  #forget(running: RunningEpisode): void {
    this.#running.delete(running.episode);
    this.#decidedSteps.ended(running);
    this.#observer.ended(running);
  }

  #sweep(): void {
    for (let index = this.#runs.length - 1; index >= 0; index--) {
      if (this.#runs[index]?.phase === 'over') this.#runs.splice(index, 1);
    }
  }
}

function reportOf(running: RunningEpisode) {
  const { episode, plan, attempt, worker, key } = running;
  return { episode, plan, attempt, worker, environmentKey: key };
}
