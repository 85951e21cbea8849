import type { PageEvent } from '../../protocol/dashboard-messages.ts';
import { TensorFrames } from '../../protocol/tensor.ts';
import type { GoldenMessage } from './golden-message.ts';

/** What pages are told of the policy: with everything, and with as little as there can be. */
export function policyEvents(): GoldenMessage[] {
  const reason: PageEvent = { type: 'no-decision', key: 'worker-0:3', reason: 'Der Zufall wählt — 乱数' };
  return [
    decision(),
    bareDecision(),
    pool(),
    { name: 'page-event-no-decision', direction: 'pageEvent', message: reason, frames: [] },
  ];
}

function decision(): GoldenMessage {
  const tensors = new TensorFrames();
  const message: PageEvent = {
    type: 'decision',
    ...{ number: 9, key: 'worker-0:3', episode: 17, step: 212, version: 4, blocks: 4, heads: 8, tokensPerStep: 9 },
    ...{ binCentres: true, selected: 2, attended: { block: 3, head: 7 } },
    probabilities: tensors.add(Float32Array.of(0.5, 0.25, 0.25, 0, 1, 0), [2, 3]),
    tokens: tensors.add(Int32Array.of(0, 1), [2]),
    returnsToGo: tensors.add(Float32Array.of(400.5, 398), [2]),
    rewards: tensors.add(Float32Array.of(2.5, 0), [2]),
    similarities: tensors.add(Float32Array.of(-1, 0.25, 1), [3]),
    points: tensors.add(Float32Array.of(0.5, -0.25, 0.125, 2), [2, 2]),
    attention: tensors.add(Float32Array.of(1, 0, 0.75, 0.25), [2, 2]),
  };
  return { name: 'page-event-decision', direction: 'pageEvent', message, frames: tensors.frames };
}

function bareDecision(): GoldenMessage {
  const tensors = new TensorFrames();
  const nothing = (): ReturnType<TensorFrames['add']> => tensors.add(new Float32Array(0), [0]);
  const message: PageEvent = {
    type: 'decision',
    ...{ number: 0, key: '', episode: 0, step: 0, version: 0, blocks: 0, heads: 0, tokensPerStep: 0 },
    ...{ binCentres: false, selected: -1, attended: null },
    probabilities: tensors.add(new Float32Array(0), [0, 64]),
    tokens: tensors.add(new Int32Array(0), [0]),
    returnsToGo: nothing(),
    rewards: nothing(),
    similarities: nothing(),
    points: tensors.add(new Float32Array(0), [0, 2]),
    attention: tensors.add(new Float32Array(0), [0, 0]),
  };
  return { name: 'page-event-decision-bare', direction: 'pageEvent', message, frames: tensors.frames };
}

function pool(): GoldenMessage {
  const tensors = new TensorFrames();
  const message: PageEvent = {
    type: 'pool',
    ...{ number: 10, run: 'run-20250101-1', version: 4, shares: [0.5, 0.25], tasks: ['metaworld/reach-v3'] },
    keys: tensors.add(Float32Array.of(0, 1, -1, 0.5), [2, 2]),
    usage: tensors.add(Uint32Array.of(0, 0xffffffff, 3), [1, 3]),
  };
  return { name: 'page-event-pool', direction: 'pageEvent', message, frames: tensors.frames };
}
