import type { ActingHand } from '../../protocol/control-messages.ts';
import { WIRE_LIMITS } from '../../protocol/limits.ts';
import type { TaskId } from '../../protocol/task.ts';
import { relaxedAction } from '../../protocol/teleoperation.ts';

/** Steps in which a person's share grows from nothing to all, and shrinks again: no jump at either end. */
export const BLEND_STEPS = 5;

/** A person's part in one step. */
export interface TeleoperatedStep {
  /** [A] in [-1, 1] */
  readonly action: readonly number[];
  /** In (0, 1]. */
  readonly weight: number;
}

/**
 * A person steers one episode: policy -> taking over -> person -> handing back -> policy. Pure but for its own state: the
 * time comes from the caller, and nothing happens between two steps.
 */
export class Teleoperation {
  readonly #task: TaskId;
  #action: readonly number[];
  #heardMs: number;
  /** Steps of the blend, 0 (policy) to `BLEND_STEPS` (person). */
  #blend = 0;
  #leaving = false;
  /** Handed back by a word: what was done last fades out as it is. */
  #handedBack = false;

  constructor(task: TaskId, action: readonly number[], nowMs: number) {
    this.#task = task;
    this.#action = action;
    this.#heardMs = nowMs;
  }

  /** What the person wants from now on. */
  steer(action: readonly number[], nowMs: number): void {
    this.#action = action;
    this.#heardMs = nowMs;
    this.#leaving = false;
    this.#handedBack = false;
  }

  /** The person lets the policy go on, blended in over the next steps. */
  handBack(): void {
    this.#leaving = true;
    this.#handedBack = true;
  }

  hand(nowMs: number): ActingHand {
    if (this.#isLeaving(nowMs)) return this.#blend === 0 ? 'policy' : 'handing-back';
    return this.#blend < BLEND_STEPS ? 'taking-over' : 'person';
  }

  /** The person's part in the step that is taken now; undefined once the policy is alone again, for good. */
  step(nowMs: number): TeleoperatedStep | undefined {
    this.#leaving = this.#isLeaving(nowMs);
    this.#blend = Math.max(0, Math.min(BLEND_STEPS, this.#blend + (this.#leaving ? -1 : 1)));
    if (this.#blend === 0) return undefined;
    const silent = !this.#handedBack && nowMs - this.#heardMs >= WIRE_LIMITS.teleoperationHoldMs;
    const action = silent ? relaxedAction(this.#task, this.#action) : this.#action;
    return { action, weight: this.#blend / BLEND_STEPS };
  }

  #isLeaving(nowMs: number): boolean {
    return this.#leaving || nowMs - this.#heardMs >= WIRE_LIMITS.teleoperationHandBackMs;
  }
}

/** `decided` and the person's action mixed by weight: [A] in [-1, 1]. */
export function blended(decided: Float32Array, { action, weight }: TeleoperatedStep): Float32Array {
  return decided.map((value, dimension) => (1 - weight) * value + weight * (action[dimension] ?? 0));
}
