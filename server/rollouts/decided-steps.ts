import type { WorkerHub } from '../simulators/worker-hub.ts';
import type { Decision } from './acting-policy.ts';
import { ActionOutbox } from './action-outbox.ts';
import type { RunningEpisode } from './running-episode.ts';
import type { StepGate } from './step-gate.ts';
import type { StepObserver } from './step-observer.ts';

/** Between a decision and its step: sends it off when the gate lets it, rests it until then, and leaves the time of rest out of all figures. */
export class DecidedSteps {
  readonly #gate: StepGate;
  readonly #observer: StepObserver;
  readonly #outbox: ActionOutbox;
  #resting = 0;

  constructor(hub: WorkerHub, gate: StepGate, observer: StepObserver) {
    this.#gate = gate;
    this.#observer = observer;
    this.#outbox = new ActionOutbox(hub);
  }

  /** Episodes that are decided and not let on. */
  get resting(): number {
    return this.#resting;
  }

  decided(running: RunningEpisode, decision: Decision): void {
    running.held = decision;
    this.proceed(running);
  }

  /**
   * Takes the next step of an episode if it is decided and the gate lets it. What is under way when a run drains is to end, whatever a person
   * wanted of it.
   */
  proceed(running: RunningEpisode): void {
    if (running.held === undefined) return;
    const { phase } = running.owner;
    if (phase === 'draining' || this.#gate.opens(running, phase === 'paused')) {
      this.#act(running, running.held);
    } else if (running.restsSinceMs === undefined) {
      running.restsSinceMs = performance.now();
      this.#resting += 1;
    }
  }

  /** The episode is over, wherever it was. */
  ended(running: RunningEpisode): void {
    this.#restsNoMore(running);
    this.#gate.ended(running);
  }

  #act(running: RunningEpisode, decision: Decision): void {
    running.held = undefined;
    running.actedMs = performance.now();
    if (running.restsSinceMs !== undefined) {
      const restedMs = running.actedMs - running.restsSinceMs;
      running.shownMs += restedMs;
      running.recorder.rested(restedMs);
      this.#restsNoMore(running);
    }
    const handled = this.#gate.handled(running, decision);
    if (handled !== undefined) {
      running.recorder.assisted();
      this.#observer.handled?.(running, running.recorder.length, handled);
    }
    this.#outbox.push(running.worker, running, handled ?? decision);
  }

  #restsNoMore(running: RunningEpisode): void {
    if (running.restsSinceMs === undefined) return;
    running.restsSinceMs = undefined;
    this.#resting -= 1;
  }
}
