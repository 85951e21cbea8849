import type { HandledEnvironment, Pull, Speed } from '../../protocol/control-messages.ts';
import type { TaskId, TaskSpec } from '../../protocol/task.ts';
import type { Decision } from '../rollouts/acting-policy.ts';
import type { RunningView } from '../rollouts/step-observer.ts';
import type { HandledStep, StepGate } from '../rollouts/step-gate.ts';
import { EnvironmentHand } from './environment-hand.ts';
import { blended, Teleoperation } from './teleoperation.ts';

export interface HandsOptions {
  readonly specOf: (task: TaskId) => TaskSpec;
  /** `RolloutEngine.proceed`. */
  readonly proceed: (episode: number) => void;
  /** Something changed that a page would show. */
  readonly changed: () => void;
}

/** A person steers at the pace of the simulated world, unless a slower one is set. */
const STEERING_SPEED = 1;

/** Everything that people want of environments, as the gate that every step of the engine passes through. */
export class Hands implements StepGate {
  readonly #options: HandsOptions;
  readonly #hands = new Map<string, EnvironmentHand>();
  readonly #runSpeeds = new Map<string, number>();

  constructor(options: HandsOptions) {
    this.#options = options;
  }

  opens(view: RunningView, runPaused: boolean): boolean {
    const hand = this.#hands.get(view.key);
    if (hand === undefined && this.#runSpeeds.size === 0) return !runPaused;
    if (runPaused || hand?.paused === true) {
      if (hand === undefined || hand.steps === 0) return false;
      hand.steps -= 1;
      return true;
    }
    const speed = this.#speedOf(view, hand);
    return speed === null || this.#isDue(view, speed);
  }

  handled(view: RunningView, decision: Decision): HandledStep | undefined {
    const hand = this.#hands.get(view.key);
    if (hand === undefined) return undefined;
    const nowMs = performance.now();
    const pulled = hand.pull(nowMs);
    const before = hand.acting(nowMs);
    const steered = hand.teleoperation?.step(nowMs);
    if (hand.teleoperation !== undefined && steered === undefined) hand.teleoperation = undefined;
    if (before !== hand.acting(nowMs)) this.#options.changed();
    if (steered === undefined && pulled === undefined) return undefined;
    if (!hand.assisted) this.#options.changed();
    hand.assisted = true;
    const pull = pulled === undefined ? {} : { pull: Float32Array.of(pulled.body, ...pulled.point, ...pulled.target) };
    if (steered === undefined) return { action: decision.action, ...pull };
    // What an expert would do is known in the worker alone.
    if (view.plan.actor.kind === 'expert') {
      return { action: Float32Array.from(steered.action), weight: steered.weight, ...pull };
    }
    return { action: blended(decision.action, steered), ...pull };
  }

  ended(view: RunningView): void {
    const hand = this.#hands.get(view.key);
    if (hand === undefined) return;
    hand.episodeEnded();
    this.#forgetIfIdle(view.key, hand);
    this.#options.changed();
  }

  pause(view: RunningView): void {
    this.#handOf(view.key).paused = true;
  }

  resume(view: RunningView): void {
    const hand = this.#hands.get(view.key);
    if (hand === undefined) return;
    hand.paused = false;
    hand.steps = 0;
    hand.pace.restart();
    this.#forgetIfIdle(view.key, hand);
    this.#options.proceed(view.episode);
  }

  /** Takes one step, now or as soon as it is decided, and rests again. */
  step(view: RunningView, runPaused: boolean): void {
    const hand = this.#handOf(view.key);
    if (!runPaused) hand.paused = true;
    // Pressed again before the first step was taken, it still means one more, but a held key does not run away.
    hand.steps = Math.min(hand.steps + 1, 10);
    this.#options.proceed(view.episode);
  }

  setSpeed(view: RunningView, speed: Speed): void {
    const hand = this.#handOf(view.key);
    // As fast as possible is what there is without a hand, unless the run has a speed.
    hand.speed = speed === null && !this.#runSpeeds.has(view.run) ? undefined : speed;
    this.#forgetIfIdle(view.key, hand);
    this.#options.proceed(view.episode);
  }

  /** Sets the speed of a whole run; what was set for one of its environments gives way. */
  setRunSpeed(run: string, speed: Speed, views: Iterable<RunningView>): void {
    if (speed === null) this.#runSpeeds.delete(run);
    else this.#runSpeeds.set(run, speed);
    for (const view of views) {
      const hand = this.#hands.get(view.key);
      if (hand !== undefined) hand.speed = undefined;
      this.#options.proceed(view.episode);
    }
  }

  runOver(run: string): void {
    if (this.#runSpeeds.delete(run)) this.#options.changed();
  }

  steer(view: RunningView, action: readonly number[] | null): void {
    const nowMs = performance.now();
    if (action === null) {
      this.#hands.get(view.key)?.letGo(true);
      return;
    }
    const hand = this.#handOf(view.key);
    if (hand.teleoperation !== undefined) hand.teleoperation.steer(action, nowMs);
    else hand.teleoperation = new Teleoperation(view.plan.task, action, nowMs);
  }

  drag(view: RunningView, pull: Pull | null): void {
    if (pull === null) this.#hands.get(view.key)?.drag(null, 0);
    else this.#handOf(view.key).drag(pull, performance.now());
  }

  /** Whether a person steers it at present. */
  steers(view: RunningView): boolean {
    return this.#hands.get(view.key)?.teleoperation !== undefined;
  }

  /** Whoever steered or dragged is not in control any more. */
  letGo(): void {
    for (const hand of this.#hands.values()) hand.letGo(true);
  }

  /** Lifts everything that was set. @returns whether there was anything */
  lift(views: Iterable<RunningView>): boolean {
    const hands = [...this.#hands.values()];
    const set = this.#runSpeeds.size > 0 || hands.some(({ paused, speed }) => paused || speed !== undefined);
    this.#runSpeeds.clear();
    this.letGo();
    for (const view of views) {
      const hand = this.#hands.get(view.key);
      if (hand !== undefined) hand.speed = undefined;
      this.resume(view);
    }
    for (const hand of hands) Object.assign(hand, { paused: false, speed: undefined, steps: 0 });
    return set;
  }

  /** What is out of the ordinary in environments that run now. */
  environments(views: Iterable<RunningView>): HandledEnvironment[] {
    const nowMs = performance.now();
    const handled: HandledEnvironment[] = [];
    for (const { key, episode } of views) {
      const hand = this.#hands.get(key);
      if (hand === undefined) continue;
      const { paused, assisted } = hand;
      const [acting, dragged] = [hand.acting(nowMs), hand.pull(nowMs) !== undefined];
      if (!paused && !assisted && !dragged && hand.speed === undefined && acting === 'policy') continue;
      handled.push({ key, episode, paused, speed: hand.speed ?? null, hand: acting, dragged, assisted });
    }
    return handled;
  }

  speeds(): { run: string; speed: number }[] {
    return [...this.#runSpeeds].map(([run, speed]) => ({ run, speed }));
  }

  /** Ends all timers. */
  close(): void {
    for (const hand of this.#hands.values()) clearTimeout(hand.timer);
  }

  #speedOf(view: RunningView, hand: EnvironmentHand | undefined): Speed {
    const set = hand?.speed !== undefined ? hand.speed : (this.#runSpeeds.get(view.run) ?? null);
    if (hand?.teleoperation === undefined) return set;
    return Math.min(set ?? STEERING_SPEED, STEERING_SPEED);
  }

  #isDue(view: RunningView, speed: number): boolean {
    const hand = this.#handOf(view.key);
    const intervalMs = (1000 * this.#options.specOf(view.plan.task).controlTimestep) / speed;
    const waitMs = hand.pace.wait(intervalMs, performance.now());
    if (waitMs === 0) return true;
    clearTimeout(hand.timer);
    hand.timer = setTimeout(() => this.#options.proceed(view.episode), waitMs);
    hand.timer.unref();
    return false;
  }

  #handOf(key: string): EnvironmentHand {
    const known = this.#hands.get(key);
    if (known !== undefined) return known;
    const made = new EnvironmentHand();
    this.#hands.set(key, made);
    return made;
  }

  #forgetIfIdle(key: string, hand: EnvironmentHand): void {
    if (!hand.isIdle(performance.now())) return;
    clearTimeout(hand.timer);
    this.#hands.delete(key);
  }
}
