import type { ServerMessage } from '../../protocol/simulator-messages.ts';
import { TensorFrames } from '../../protocol/tensor.ts';
import { handledAct } from './golden-control.ts';
import type { GoldenMessage } from './golden-message.ts';

/** What the server says to workers. */
export function serverMessages(): GoldenMessage[] {
  const assign = {
    type: 'assign',
    environment: 3,
    episode: 17,
    task: 'metaworld/door-open-v3',
    protocol: 'official-v3',
    seed: 0xffffffff,
    start: 49,
    horizon: 500,
  } as const;
  const tensors = new TensorFrames();
  const act: ServerMessage = {
    type: 'act',
    environments: tensors.add(Uint16Array.of(3, 200), [2]),
    episodes: tensors.add(Uint32Array.of(17, 4_000_000_000), [2]),
    actions: tensors.add(Float32Array.of(-1, -0.5, 0.5, 1, 0, 0.125, -0.125, 0.1), [2, 4]),
  };
  return [
    server('server-welcome', {
      type: 'welcome',
      protocol: { major: 1, minor: 0 },
      serverId: 'server-1',
      heartbeatMs: 1000,
      livenessMs: 5000,
    }),
    server('server-refused', {
      type: 'refused',
      code: 'L2M_VERSION_REFUSED',
      message: 'The peer speaks another version of the protocol: 2.0, not 1.0.',
      hint: 'Run the worker or the page from the same release as the server.',
    }),
    server('server-describe', { type: 'describe', task: 'dmcontrol/cheetah-run' }),
    server('server-assign', { ...assign, actor: { kind: 'server' } }),
    server('server-assign-expert', {
      ...assign,
      protocol: 'l2m-paper',
      start: 1_000_000,
      horizon: 200,
      actor: { kind: 'expert', noise: 0.1, noiseSeed: 4_294_967_295 },
    }),
    { name: 'server-act', direction: 'server', message: act, frames: tensors.frames },
    handledAct(),
    server('server-release', { type: 'release', environment: 0, episode: 1 }),
    server('server-watch', { type: 'watch', posesHz: 12.5 }),
    server('server-want-scene', { type: 'want-scene', task: 'metaworld/drawer-close-v3' }),
    server('server-drain', { type: 'drain', reason: 'the run is over' }),
    server('server-alive', { type: 'alive' }),
  ];
}

function server(name: string, message: ServerMessage): GoldenMessage {
  return { name, direction: 'server', message, frames: [] };
}
