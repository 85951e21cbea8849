import type { ModelConfig } from '../config.ts';

/** A batch of windows as plain arrays, row-major; the same layout as `WindowTensors`. Reused from batch to batch. */
export interface WindowArrays {
  /** B */
  readonly batch: number;
  /** [B, T, S] */
  readonly states: Float32Array;
  /** [B, T, A] */
  readonly actionTokens: Int32Array;
  /** [B, T] */
  readonly returnsToGo: Float32Array;
  /** [B, T] */
  readonly rewards: Float32Array;
  /** [B, T] */
  readonly timesteps: Int32Array;
  /** [B, T] */
  readonly stepMask: Float32Array;
  /** [B] place of the task, or of its layout, in the policy's order of them; 0 without one */
  readonly searchGroups: Int32Array;
}

export function windowArrays(model: ModelConfig, batch: number): WindowArrays {
  const steps = batch * model.context;
  return {
    batch,
    states: new Float32Array(steps * model.stateSize),
    actionTokens: new Int32Array(steps * model.actionSize),
    returnsToGo: new Float32Array(steps),
    rewards: new Float32Array(steps),
    timesteps: new Int32Array(steps),
    stepMask: new Float32Array(steps),
    searchGroups: new Int32Array(batch),
  };
}
