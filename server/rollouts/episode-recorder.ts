import type { TaskSpec } from '../../protocol/task.ts';
import type { TickRow } from '../simulators/tick-rows.ts';
import type { Decision } from './acting-policy.ts';
import type { EpisodePlan } from './plan.ts';

/** Observations and actions of one episode, as learning needs them. Row t: before action t; reward and success after it. */
export interface Trajectory {
  readonly observations: Float32Array; // [length, observation size]
  readonly actions: Float32Array; // [length, action size] executed
  readonly targets: Float32Array; // [length, action size] the expert's clean action
  readonly rewards: Float32Array; // [length]
  readonly successes: Uint8Array; // [length]
}

/** What is known of an episode when it is over. */
export interface EpisodeOutcome {
  readonly length: number;
  readonly return: number;
  /** One byte a step, 1 where the simulator reported success. */
  readonly successes: Uint8Array;
  /** Selected modulator of each step, -1 where there was none. */
  readonly selections: Int16Array;
  /** Cosine similarity of query and selected key at each step; 0 where there is no pool. */
  readonly similarities: Float32Array;
  readonly meanSimilarity: number;
  readonly policyVersion: number;
  /** Steps in which a person had a part. */
  readonly assistedSteps: number;
  /** Without the time in which the episode rested. */
  readonly wallSeconds: number;
  readonly trajectory: Trajectory | undefined;
}

/** Collects one episode while it runs. Arrays are sized for the horizon at once: no growth on the hot path. */
export class EpisodeRecorder {
  readonly #startedMs = performance.now();
  readonly #successes: Uint8Array;
  readonly #selections: Int16Array;
  readonly #similarities: Float32Array;
  readonly #trajectory: Trajectory | undefined;
  readonly #observationSize: number;
  readonly #actionSize: number;
  readonly #workerActs: boolean;
  #length = 0;
  #return = 0;
  #similaritySum = 0;
  #lastSimilarity = 0;
  #policyVersion = 0;
  #succeeded = false;
  #assistedSteps = 0;
  #restedMs = 0;

  constructor(plan: EpisodePlan, spec: TaskSpec, keepTrajectory: boolean) {
    this.#observationSize = spec.observation.reduce((sum, part) => sum + part.size, 0);
    this.#actionSize = spec.actionSize;
    this.#workerActs = plan.actor.kind === 'expert';
    this.#successes = new Uint8Array(plan.horizon);
    this.#selections = new Int16Array(plan.horizon).fill(-1);
    this.#similarities = new Float32Array(plan.horizon);
    this.#trajectory = keepTrajectory
      ? {
          observations: new Float32Array(plan.horizon * this.#observationSize),
          actions: new Float32Array(plan.horizon * this.#actionSize),
          targets: new Float32Array(plan.horizon * this.#actionSize),
          rewards: new Float32Array(plan.horizon),
          successes: this.#successes,
        }
      : undefined;
  }

  get length(): number {
    return this.#length;
  }

  get return(): number {
    return this.#return;
  }

  get succeeded(): boolean {
    return this.#succeeded;
  }

  /** Modulator of each step up to the horizon, -1 where there is none (yet); not a copy. */
  get selections(): Int16Array {
    return this.#selections;
  }

  /** Modulator selected last, -1 before the first decision and without a pool. */
  get lastSelected(): number {
    return this.#selections[Math.max(0, this.#length - 1)] ?? -1;
  }

  get lastSimilarity(): number {
    return this.#lastSimilarity;
  }

  /** Takes one row in: what step `row.step` led to, and what the environment shows now. */
  row(row: TickRow): void {
    if (row.step > 0) this.#afterStep(row);
    if (this.#trajectory && !row.finished) {
      this.#trajectory.observations.set(
        row.observation.subarray(0, this.#observationSize),
        row.step * this.#observationSize,
      );
    }
  }

  decided(step: number, decision: Decision): void {
    this.#selections[step] = decision.selected;
    this.#similarities[step] = decision.similarity;
    this.#similaritySum += decision.similarity;
    this.#lastSimilarity = decision.similarity;
    this.#policyVersion = decision.version;
    if (decision.target) this.#trajectory?.targets.set(decision.target, step * this.#actionSize);
  }

  /** A person has a part in the next step. */
  assisted(): void {
    this.#assistedSteps += 1;
  }

  /** The episode stood still because somebody wanted it so. */
  rested(milliseconds: number): void {
    this.#restedMs += milliseconds;
  }

  finish(): EpisodeOutcome {
    const length = this.#length;
    return {
      length,
      return: this.#return,
      successes: this.#successes.slice(0, length),
      selections: this.#selections.slice(0, length),
      similarities: this.#similarities.slice(0, length),
      meanSimilarity: length === 0 ? 0 : this.#similaritySum / length,
      policyVersion: this.#policyVersion,
      assistedSteps: this.#assistedSteps,
      wallSeconds: (performance.now() - this.#startedMs - this.#restedMs) / 1000,
      trajectory: this.#trajectory && cut(this.#trajectory, length, this.#observationSize, this.#actionSize),
    };
  }

  #afterStep(row: TickRow): void {
    const index = row.step - 1;
    this.#length = row.step;
    this.#return += row.reward;
    this.#successes[index] = row.success ? 1 : 0;
    this.#succeeded ||= row.success;
    if (!this.#trajectory) return;
    this.#trajectory.actions.set(row.executed.subarray(0, this.#actionSize), index * this.#actionSize);
    // A tick has targets for all of its rows as soon as one of them has an expert inside its worker.
    if (row.target && this.#workerActs)
      this.#trajectory.targets.set(row.target.subarray(0, this.#actionSize), index * this.#actionSize);
    this.#trajectory.rewards[index] = row.reward;
  }
}

function cut(trajectory: Trajectory, ...[length, observationSize, actionSize]: [number, number, number]): Trajectory {
  return {
    observations: trajectory.observations.slice(0, length * observationSize),
    actions: trajectory.actions.slice(0, length * actionSize),
    targets: trajectory.targets.slice(0, length * actionSize),
    rewards: trajectory.rewards.slice(0, length),
    successes: trajectory.successes.slice(0, length),
  };
}
