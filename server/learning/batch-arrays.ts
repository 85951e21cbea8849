import type { ModelConfig } from '../../agent/config.ts';

/** One training batch as plain arrays, allocated once and filled again for every update. B windows of T timesteps. */
export interface BatchArrays {
  readonly size: number;
  readonly model: ModelConfig;
  /** [B, T, S] mapped to the unified vector and standardised where that is on; zero in padded steps. */
  readonly states: Float32Array;
  /** [B, T, A] tokens of the executed actions; the pad token in padded steps. */
  readonly actionTokens: Int32Array;
  /** [B, T, A] tokens to be predicted; 0 where `stepMask` or `actionMask` is 0. */
  readonly targetTokens: Int32Array;
  /** [B, T] divided by the domain's scale. */
  readonly returnsToGo: Float32Array;
  /** [B, T] divided by the domain's scale. */
  readonly rewards: Float32Array;
  /** [B, T] absolute step of the episode, from 0. */
  readonly timesteps: Int32Array;
  /** [B, T] 1 for real steps, 0 for padding, which is always on the left. */
  readonly stepMask: Float32Array;
  /** [B, T, A] 1 for dimensions that the task's action has, in real steps. */
  readonly actionMask: Float32Array;
  /** [B] place of the window's task in the policy's order of tasks; 0 without one. */
  readonly searchGroups: Int32Array;
}

export function allocateBatch(size: number, model: ModelConfig): BatchArrays {
  const steps = size * model.context;
  const actions = steps * model.actionSize;
  return {
    size,
    model,
    states: new Float32Array(steps * model.stateSize),
    actionTokens: new Int32Array(actions),
    targetTokens: new Int32Array(actions),
    returnsToGo: new Float32Array(steps),
    rewards: new Float32Array(steps),
    timesteps: new Int32Array(steps),
    stepMask: new Float32Array(steps),
    actionMask: new Float32Array(actions),
    searchGroups: new Int32Array(size),
  };
}
