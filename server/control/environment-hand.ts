import type { ActingHand, Pull, Speed } from '../../protocol/control-messages.ts';
import { WIRE_LIMITS } from '../../protocol/limits.ts';
import { Pace } from './pace.ts';
import type { Teleoperation } from './teleoperation.ts';

/**
 * What a person wants of one environment. Pause and speed belong to the environment and outlast its episodes; steering and
 * dragging belong to one episode.
 */
export class EnvironmentHand {
  readonly pace = new Pace();
  paused = false;
  /** Undefined: as its run. */
  speed: Speed | undefined;
  /** Steps that may be taken although it is paused. */
  steps = 0;
  teleoperation: Teleoperation | undefined;
  /** Whether a person had a part in the present episode. */
  assisted = false;
  timer: NodeJS.Timeout | undefined;
  #pull: { readonly pull: Pull; readonly atMs: number } | undefined;

  drag(pull: Pull | null, nowMs: number): void {
    this.#pull = pull === null ? undefined : { pull, atMs: nowMs };
  }

  pull(nowMs: number): Pull | undefined {
    if (this.#pull !== undefined && nowMs - this.#pull.atMs >= WIRE_LIMITS.dragHoldMs) this.#pull = undefined;
    return this.#pull?.pull;
  }

  acting(nowMs: number): ActingHand {
    return this.teleoperation?.hand(nowMs) ?? 'policy';
  }

  /** Nobody steers or drags any more; `gently` lets the policy in step by step. */
  letGo(gently: boolean): void {
    this.#pull = undefined;
    if (gently) this.teleoperation?.handBack();
    else this.teleoperation = undefined;
  }

  /** The next episode begins without a person's part. */
  episodeEnded(): void {
    this.letGo(false);
    this.assisted = false;
    clearTimeout(this.timer);
    this.timer = undefined;
  }

  /** Whether it is run by its policy alone, as if nobody had ever touched it. */
  isIdle(nowMs: number): boolean {
    const untouched = !this.paused && this.speed === undefined && this.steps === 0;
    return untouched && !this.assisted && this.teleoperation === undefined && this.pull(nowMs) === undefined;
  }
}
