import type { ActiveRun } from './active-run.ts';
import type { Decision, EpisodePolicy } from './acting-policy.ts';
import type { RunningView } from './step-observer.ts';

/** An episode under way as the engine sees it. Times are of `performance.now()`. */
export interface RunningEpisode extends RunningView {
  readonly worker: string;
  readonly environment: number;
  readonly attempt: number;
  readonly owner: ActiveRun;
  readonly policy: EpisodePolicy;
  actedMs: number;
  shownMs: number;
  /** A decision that has not been acted upon yet. */
  held: Decision | undefined;
  /** Since when the decision rests because the run is paused or a person wants it so; undefined if it does not. */
  restsSinceMs: number | undefined;
}
