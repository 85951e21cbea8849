import type { ModelConfig } from '../../agent/config.ts';
import type { TaskSpec } from '../../protocol/task.ts';
import type { AttentionChoice } from '../../protocol/policy-messages.ts';
import type { TickRow } from '../simulators/tick-rows.ts';
import type { EpisodePlan } from './plan.ts';

/** What a policy answers for one environment and step. */
export interface Decision {
  /** [A] in [-1, 1]; owned by the caller from now on. */
  readonly action: Float32Array;
  /** [A] what should be done here, where something else is done for the sake of variety; absent: the action itself, or what the worker says. */
  readonly target?: Float32Array;
  /** Where an expert acts inside the worker: how much of the step is `action`, in [0, 1]; absent: nothing. */
  readonly weight?: number;
  /** Index of the modulator used, -1 where there is no pool. */
  readonly selected: number;
  /** Key whose cosine is best, where several may point to one modulator. */
  readonly key?: number;
  /** Cosine similarity of query and selected key in [-1, 1]; 0 where there is no pool. */
  readonly similarity: number;
  /** Milliseconds the decision took in the tensor backend, for its whole batch. */
  readonly decideMs: number;
  /** Version of the weights that decided; counts up with every hot swap. */
  readonly version: number;
}

/** What lay behind one decision. d action dimensions, V bins, t real steps of the window, K keys, q tokens, x = prompts + q. */
export interface Inspection {
  readonly step: number;
  readonly version: number;
  readonly selected: number;
  readonly model: Pick<ModelConfig, 'blocks' | 'heads' | 'actionSize' | 'bins'>;
  readonly binCentres: boolean;
  readonly probabilities: Float32Array; // [d, V]
  readonly tokens: Int32Array; // [d] chosen bins
  readonly returnsToGo: Float32Array; // [t] unscaled
  readonly rewards: Float32Array; // [t] unscaled; the newest is 0
  readonly similarities: Float32Array; // [K]
  readonly keys: Float32Array; // [K, 2] in the plane in which the keys differ most
  readonly shares: readonly [number, number];
  readonly points: Float32Array; // [2, 2] query, state of the newest step; empty without a pool
  readonly attention: { readonly choice: AttentionChoice; readonly weights: Float32Array } | null; // [q, x]
}

/** A policy in one episode: remembers what it needs of the steps so far. */
export interface EpisodePolicy {
  /**
   * Decides for what the environment shows now. Called once for each row but the last, in order.
   * May answer at once: no-op, random and scripted policies never wait for a batch.
   */
  decide(row: TickRow): Decision | Promise<Decision>;
  /** What lies behind the newest decision, or the next one if that is under way; absent where nothing lies behind. */
  inspect?(attention: AttentionChoice | null): Promise<Inspection>;
}

/** Whoever chooses actions in a run. */
export interface ActingPolicy {
  readonly name: string;
  /** @throws L2M_TASK_UNSUPPORTED if it cannot control the task */
  assertSupports(spec: TaskSpec): void;
  /** Whatever takes long and can be done before the first episode of a run on these tasks. */
  prepare?(specs: readonly TaskSpec[]): Promise<void>;
  begin(spec: TaskSpec, plan: EpisodePlan): EpisodePolicy;
  /**
   * The same policy with each action drawn as often as it is thought likely; absent where there is nothing to draw from. Chance is a function
   * of seed, task, start and step.
   * @param temperature above 0; 1 takes the likelihoods as they are
   */
  drawn?(temperature: number): ActingPolicy;
}

/** A decision that took no model: for policies that answer at once. */
export function immediateDecision(action: Float32Array): Decision {
  return { action, selected: -1, similarity: 0, decideMs: 0, version: 0 };
}
