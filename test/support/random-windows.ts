import type { ModelConfig } from '../../agent/config.ts';
import { randomSource } from '../../agent/random.ts';
import type { WindowArrays } from '../../server/inference/host-messages.ts';

/** Full windows of noise, the same at every call: nothing in a decision's cost depends on the values. */
export function randomWindows(model: ModelConfig, batch: number): Omit<WindowArrays, 'count' | 'actionDimensions'> {
  const random = randomSource(7);
  const steps = batch * model.context;
  const floats = (count: number): Float32Array => Float32Array.from({ length: count }, () => random.normal());
  return {
    states: floats(steps * model.stateSize),
    actionTokens: Int32Array.from({ length: steps * model.actionSize }, () => random.below(model.bins)),
    returnsToGo: floats(steps),
    rewards: floats(steps),
    timesteps: Int32Array.from({ length: steps }, (_, i) => 100 + (i % model.context)),
    stepMask: new Float32Array(steps).fill(1),
    searchGroups: new Int32Array(batch),
  };
}
