import type { Observed } from '../../protocol/simulator-messages.ts';
import { TensorFrames } from '../../protocol/tensor.ts';

/** An `observed` message of `count` Meta-World environments, and its tensor frames. */
export function observedMessage(count: number): { readonly message: Observed; readonly frames: readonly Uint8Array[] } {
  const tensors = new TensorFrames();
  const message: Observed = {
    type: 'observed',
    tick: 1234,
    environments: tensors.add(
      Uint16Array.from({ length: count }, (_, i) => i),
      [count],
    ),
    episodes: tensors.add(new Uint32Array(count).fill(1), [count]),
    steps: tensors.add(new Uint32Array(count).fill(7), [count]),
    observations: tensors.add(new Float32Array(count * 39).fill(0.5), [count, 39]),
    rewards: tensors.add(new Float64Array(count), [count]),
    flags: tensors.add(new Uint8Array(count), [count]),
    executed: tensors.add(new Float32Array(count * 4), [count, 4]),
    simulateMs: 5.25,
    waitMs: 0.125,
  };
  return { message, frames: tensors.frames };
}
