import type { TaskSpec } from '../../protocol/task.ts';
import type { TickRow } from '../simulators/tick-rows.ts';
import type { EpisodePlan } from './plan.ts';

/** What a policy answers for one environment and step. */
export interface Decision {
  /** [A] in [-1, 1]; owned by the caller from now on. */
  readonly action: Float32Array;
  /** Index of the modulator used, -1 where there is no pool. */
  readonly selected: number;
  /** Cosine similarity of query and selected key in [-1, 1]; 0 where there is no pool. */
  readonly similarity: number;
  /** Milliseconds the decision took in the tensor backend, for its whole batch. */
  readonly decideMs: number;
  /** Version of the weights that decided; counts up with every hot swap. */
  readonly version: number;
}

/** A policy in one episode: remembers what it needs of the steps so far. */
export interface EpisodePolicy {
  /**
   * Decides for what the environment shows now. Called once for each row but the last, in order.
   * May answer at once: no-op, random and scripted policies never wait for a batch.
   */
  decide(row: TickRow): Decision | Promise<Decision>;
}

/** Whoever chooses actions in a run. */
export interface ActingPolicy {
  readonly name: string;
  /** @throws L2M_TASK_UNSUPPORTED if it cannot control the task */
  assertSupports(spec: TaskSpec): void;
  /** Whatever takes long and can be done before the first episode of a run on these tasks. */
  prepare?(specs: readonly TaskSpec[]): Promise<void>;
  begin(spec: TaskSpec, plan: EpisodePlan): EpisodePolicy;
}

/** A decision that took no model: for policies that answer at once. */
export function immediateDecision(action: Float32Array): Decision {
  return { action, selected: -1, similarity: 0, decideMs: 0, version: 0 };
}
