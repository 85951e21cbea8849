import type { ControlRequest, ControlUpdated } from '../../protocol/control-messages.ts';
import type { ServerMessage } from '../../protocol/simulator-messages.ts';
import { TensorFrames } from '../../protocol/tensor.ts';
import type { GoldenMessage } from './golden-message.ts';

/** Golden messages of a person's hands on simulations. */
export const CONTROL_REQUESTS: Readonly<Record<string, ControlRequest>> = {
  'control-seat': { type: 'control-seat', action: 'steal' },
  'control-simulation': {
    type: 'control-simulation',
    target: { kind: 'environment', key: 'worker-1:3' },
    command: { kind: 'speed', speed: 0.1 },
  },
  'control-simulation-run': {
    type: 'control-simulation',
    target: { kind: 'run', run: 'run-20250101-1' },
    command: { kind: 'step' },
  },
  teleoperate: { type: 'teleoperate', key: 'worker-1:3', episode: 17, action: [-1, 0, 0.5, 1] },
  'teleoperate-no-more': { type: 'teleoperate', key: 'worker-1:3', episode: 17, action: null },
  drag: {
    type: 'drag',
    key: 'worker-1:3',
    episode: 17,
    pull: { body: 2, point: [0, 0.25, -0.5], target: [1, 2, 3.5] },
  },
  'drag-no-more': { type: 'drag', key: 'worker-1:3', episode: 17, pull: null },
};

export const CONTROL_UPDATED: ControlUpdated = {
  type: 'control-updated',
  seat: 'other',
  controller: 'page 3',
  waiting: 2,
  asked: true,
  stealable: false,
  environments: [
    {
      ...{ key: 'worker-1:3', episode: 17, paused: true, speed: 0.5 },
      ...{ hand: 'taking-over', dragged: false, assisted: true },
    },
  ],
  speeds: [{ run: 'run-20250101-1', speed: null }],
};

/** Steps with a person's share in them: one mixed into an expert's, one in which a body is pulled. */
export function handledAct(): GoldenMessage {
  const tensors = new TensorFrames();
  const message: ServerMessage = {
    type: 'act',
    environments: tensors.add(Uint16Array.of(3, 4), [2]),
    episodes: tensors.add(Uint32Array.of(17, 18), [2]),
    actions: tensors.add(Float32Array.of(1, 0, 0, -1, 0, 0, 0, 0), [2, 4]),
    weights: tensors.add(Float32Array.of(0.25, 0), [2]),
    pulls: tensors.add(Float32Array.of(0, 0, 0, 0, 0, 0, 0, 2, 0, 0.25, -0.5, 1, 2, 3.5), [2, 7]),
  };
  return { name: 'server-act-handled', direction: 'server', message, frames: tensors.frames };
}
