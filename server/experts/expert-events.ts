import type { FinishedTrajectories } from '../learning/trajectory-output.ts';
import type { CurvePoint } from './learning-curve.ts';

export interface ExpertHooks {
  note(text: string): void;
  progress(progress: ExpertProgress): void;
  /** Milliseconds between two calls of `progress`; default 250. */
  readonly progressEveryMs?: number;
  /** Milliseconds between two points of the curves in the store; default 10,000. */
  readonly curveEveryMs?: number;
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
