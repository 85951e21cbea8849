import type { TickRow } from '../simulators/tick-rows.ts';
import type { Decision } from './acting-policy.ts';
import type { EpisodeRecorder } from './episode-recorder.ts';
import type { EpisodePlan } from './plan.ts';
import type { HandledStep } from './step-gate.ts';

/** What a viewer or a recorder may want to know of each step; called on the hot path, so it must be cheap and never wait. */
export interface StepObserver {
  readonly started: (view: RunningView) => void;
  readonly stepped: (view: RunningView, row: TickRow, decision: Decision | undefined) => void;
  readonly ended: (view: RunningView) => void;
  readonly timed: (timing: StepTiming) => void;
  /** A person has a part in the step from row `step` on; it is on its way to the worker. */
  readonly handled?: (view: RunningView, step: number, handled: HandledStep) => void;
  /** Whether every row of an episode is to carry poses. */
  readonly wantsPoses?: (plan: EpisodePlan) => boolean;
}

export interface RunningView {
  readonly key: string;
  readonly run: string;
  readonly episode: number;
  readonly plan: EpisodePlan;
  readonly recorder: EpisodeRecorder;
}

/** Milliseconds of one tick of one worker. */
export interface StepTiming {
  readonly steps: number;
  readonly simulateMs: number;
  /** From sending the actions to having the rows, less the simulation itself: wire and queues, both ways. */
  readonly transportMs: number;
  /** From the rows before these of the same environments. */
  readonly totalMs: number;
}
