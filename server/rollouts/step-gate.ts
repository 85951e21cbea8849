import type { Decision } from './acting-policy.ts';
import type { RunningView } from './step-observer.ts';

/** A step in which a person has a part. */
export interface HandledStep {
  /** [A] in [-1, 1]; in place of what the policy decided. */
  readonly action: Float32Array;
  /** Where an expert acts inside the worker: how much of the step is `action`, in [0, 1]. The worker mixes in its own. */
  readonly weight?: number;
  /** [7] as in `act.pulls`: the body that is pulled, where it is held and where to. */
  readonly pull?: Float32Array;
}

/** Stands between a decision and its step: when it is taken, and whether a person has a part in it. On the hot path. */
export interface StepGate {
  /** Whether the decided step may be taken now. If not, the gate calls `RolloutEngine.proceed` when it may. */
  opens(view: RunningView, runPaused: boolean): boolean;
  /** Asked once, when the step is taken; undefined leaves it to the policy. */
  handled(view: RunningView, decision: Decision): HandledStep | undefined;
  /** The episode is over, whatever became of it. */
  ended(view: RunningView): void;
}

/** Nobody's hands: a step waits only while its run is paused. */
export const OPEN_GATE: StepGate = {
  opens: (_, runPaused) => !runPaused,
  handled: () => undefined,
  ended: () => undefined,
};
