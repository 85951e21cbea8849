import { encodeMessage, packFrames } from '../../protocol/codec.ts';
import type { Frames } from '../../protocol/dashboard-messages.ts';
import { TensorFrames, type TensorData } from '../../protocol/tensor.ts';
import type { LiveEnvironment, PageState } from './page-state.ts';

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
    ...contactsOf(environments, tensors),
    load: state.load,
  };
  return packFrames(encodeMessage(message, tensors.frames));
}

/** Nothing while nobody asks for contacts, or where nothing touches. */
function contactsOf(
  environments: readonly LiveEnvironment[],
  tensors: TensorFrames,
): Pick<Frames, 'contacts' | 'contactCounts'> {
  const rows = environments.reduce((sum, { contacts }) => sum + contacts.length / 11, 0);
  if (rows === 0) return {};
  const all = new Float32Array(rows * 11);
  let offset = 0;
  for (const { contacts } of environments) {
    all.set(contacts, offset);
    offset += contacts.length;
  }
  const counts = Uint16Array.from(environments, ({ contacts }) => contacts.length / 11);
  return { contactCounts: tensors.add(counts, [environments.length]), contacts: tensors.add(all, [rows, 11]) };
}
