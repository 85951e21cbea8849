import { encodeMessage, packFrames } from '../../protocol/codec.ts';
import type { Frames } from '../../protocol/dashboard-messages.ts';
import { TensorFrames, type TensorData } from '../../protocol/tensor.ts';
import type { PageState } from './page-state.ts';

/** The `frames` message of the present state, packed for one WebSocket message. */
export function packedFrames(state: PageState, frame: number): Uint8Array {
  const environments = [...state.environments.values()];
  const n = environments.length;
  const bodies = environments.reduce((sum, environment) => sum + environment.poseCount, 0);
  const poses = new Float32Array(bodies * 7);
  let offset = 0;
  for (const environment of environments) {
    poses.set(environment.poses.subarray(0, environment.poseCount * 7), offset);
    offset += environment.poseCount * 7;
  }
  const tensors = new TensorFrames();
  const column = (data: TensorData) => tensors.add(data, [n]);
  const message: Frames = {
    type: 'frames',
    frame,
    keys: environments.map((environment) => environment.view.key),
    episodes: column(Uint32Array.from(environments, (environment) => environment.episode)),
    steps: column(Uint32Array.from(environments, (environment) => environment.step)),
    rewards: column(Float32Array.from(environments, (environment) => environment.reward)),
    returns: column(Float32Array.from(environments, (environment) => environment.return)),
    flags: column(Uint8Array.from(environments, (environment) => environment.flags)),
    selections: column(Int32Array.from(environments, (environment) => environment.selection)),
    similarities: column(Float32Array.from(environments, (environment) => environment.similarity)),
    poseCounts: column(Uint16Array.from(environments, (environment) => environment.poseCount)),
    poses: tensors.add(poses, [bodies, 7]),
    load: state.load,
  };
  return packFrames(encodeMessage(message, tensors.frames));
}
