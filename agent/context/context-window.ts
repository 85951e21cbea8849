import { AgentError } from '../agent-error.ts';
import { padToken, type PolicyConfig } from '../config.ts';
import { tokenFromAction, zeroActionToken } from './action-tokenizer.ts';
import { nextReturnToGo } from './return-to-go.ts';
import type { TaskContext } from './task-context.ts';
import type { WindowArrays } from './window-arrays.ts';

export interface EpisodeStart {
  readonly task: TaskContext;
  /** The task's own observation; at least `task.observationSize` values. */
  readonly observation: ArrayLike<number>;
  /** Whether it is the first episode of an evaluation; matters only with `startObservation: 'zero'`. */
  readonly isFirst?: boolean;
}

export interface StepOutcome {
  /** What was executed, whoever chose it; at least `task.actionSize` values in [-1, 1]. */
  readonly executedAction: ArrayLike<number>;
  /** Unscaled. */
  readonly reward: number;
  /** After the step. */
  readonly observation: ArrayLike<number>;
}

/**
 * The last T timesteps of one environment, in arrays that are allocated once. The one place for padding and order; the newest
 * step's action and reward are not known yet and stand as the action 0 and the reward 0 (spec §6.3).
 */
export class ContextWindow {
  readonly #config: Pick<PolicyConfig, 'model' | 'options'>;
  readonly #states: Float32Array;
  readonly #actionTokens: Int32Array;
  readonly #returnsToGo: Float32Array;
  readonly #rewards: Float32Array;
  readonly #zeroToken: number;
  #task: TaskContext | null = null;
  /** Index in the ring of the newest step. */
  #newest = 0;
  #length = 0;
  #timestep = 0;

  constructor(config: Pick<PolicyConfig, 'model' | 'options'>) {
    const { context, stateSize, actionSize, bins } = config.model;
    this.#config = config;
    this.#states = new Float32Array(context * stateSize);
    this.#actionTokens = new Int32Array(context * actionSize);
    this.#returnsToGo = new Float32Array(context);
    this.#rewards = new Float32Array(context);
    this.#zeroToken = zeroActionToken(bins);
  }

  /** Timestep of the newest step as the model sees it. */
  get timestep(): number {
    return this.#timestep;
  }

  /** Scaled return-to-go of the newest step. */
  get returnToGo(): number {
    return this.#returnsToGo[this.#newest]!;
  }

  /** Forgets everything and shows the first observation of an episode. */
  start({ task, observation, isFirst = true }: EpisodeStart): void {
    this.#task = task;
    const blank = this.#config.options.startObservation === 'zero' && !isFirst;
    this.#restart(blank ? null : observation);
  }

  /**
   * Completes the newest step with what was executed and what came of it, and shows the next observation.
   *
   * @throws AgentError L2M_INTERNAL before `start`
   */
  append({ executedAction, reward, observation }: StepOutcome): void {
    const task = this.#started();
    const { model } = this.#config;
    const scaledReward = Math.fround(reward / task.rewardScale);
    const actions = this.#newest * model.actionSize;
    for (let i = 0; i < task.actionSize; i++) {
      this.#actionTokens[actions + i] = tokenFromAction(executedAction[i]!, model.bins);
    }
    this.#rewards[this.#newest] = scaledReward;
    if (this.#timestep + 1 === task.restartAt) {
      this.#restart(observation);
      return;
    }
    const returnToGo = nextReturnToGo(this.returnToGo, scaledReward, task.initialReturnToGo);
    this.#timestep += 1;
    this.#push(observation, returnToGo);
  }

  /**
   * Writes the window into one row of a batch, padded on the left.
   *
   * @throws AgentError L2M_TASK_UNSUPPORTED if the episode is longer than the model has timestep codes for
   */
  writeInto(arrays: WindowArrays, row: number): void {
    arrays.searchGroups[row] = this.#started().searchGroup;
    const { context, stateSize, actionSize, maximumTimestep } = this.#config.model;
    if (this.#timestep >= maximumTimestep) {
      throw new AgentError(
        'L2M_TASK_UNSUPPORTED',
        `step ${this.#timestep} of an episode, the policy has codes for ${maximumTimestep}`,
      );
    }
    const padded = context - this.#length;
    for (let step = 0; step < context; step++) {
      const at = row * context + step;
      const real = step >= padded;
      // The ring holds the newest step at #newest and older ones before it.
      const slot = (this.#newest + step + 1) % context;
      arrays.stepMask[at] = real ? 1 : 0;
      arrays.timesteps[at] = real ? this.#timestep - (context - 1 - step) : 0;
      arrays.returnsToGo[at] = real ? this.#returnsToGo[slot]! : 0;
      arrays.rewards[at] = real ? this.#rewards[slot]! : 0;
      copy(real ? this.#states : null, slot * stateSize, {
        to: arrays.states,
        at: at * stateSize,
        count: stateSize,
        blank: 0,
      });
      const blank = padToken(this.#config.model);
      copy(real ? this.#actionTokens : null, slot * actionSize, {
        to: arrays.actionTokens,
        at: at * actionSize,
        count: actionSize,
        blank,
      });
    }
  }

  #restart(observation: ArrayLike<number> | null): void {
    this.#length = 0;
    this.#timestep = 0;
    this.#push(observation, this.#started().initialReturnToGo);
  }

  #push(observation: ArrayLike<number> | null, returnToGo: number): void {
    const task = this.#started();
    const { context, stateSize, actionSize } = this.#config.model;
    this.#newest = (this.#newest + 1) % context;
    this.#length = Math.min(this.#length + 1, context);
    const state = this.#newest * stateSize;
    this.#states.set(task.background, state);
    if (observation !== null) {
      for (let i = 0; i < task.observationSize; i++) {
        this.#states[state + task.stateIndices[i]!] = (observation[i]! - task.shift[i]!) * task.factor[i]!;
      }
    }
    const actions = this.#newest * actionSize;
    this.#actionTokens.fill(this.#zeroToken, actions, actions + actionSize);
    this.#rewards[this.#newest] = 0;
    this.#returnsToGo[this.#newest] = returnToGo;
  }

  #started(): TaskContext {
    if (this.#task === null) throw new AgentError('L2M_INTERNAL', 'a context window was used before its start');
    return this.#task;
  }
}

interface Target {
  readonly to: Float32Array | Int32Array;
  readonly at: number;
  readonly count: number;
  readonly blank: number;
}

/** Copies without making a view, or fills with `blank`. */
function copy(from: Float32Array | Int32Array | null, start: number, { to, at, count, blank }: Target): void {
  if (from === null) {
    to.fill(blank, at, at + count);
    return;
  }
  for (let i = 0; i < count; i++) to[at + i] = from[start + i]!;
}
