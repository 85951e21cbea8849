import { failure, success, type Result } from '../../protocol/result.ts';
import { STEP_FLAGS, type Observed } from '../../protocol/simulator-messages.ts';
import { tensorView } from '../../protocol/tensor.ts';

/** What one environment showed in one tick. The arrays are views into the message: copy what must outlive the handler. */
export interface TickRow {
  readonly environment: number;
  readonly episode: number;
  readonly step: number;
  /** [W] padded with zeros to the widest task of the tick. */
  readonly observation: Float32Array;
  readonly reward: number;
  readonly flags: number;
  readonly success: boolean;
  readonly terminated: boolean;
  readonly truncated: boolean;
  readonly unstable: boolean;
  /** Whether the episode is over: terminated, truncated or unstable. */
  readonly finished: boolean;
  /** [A] executed in this step, padded with zeros. */
  readonly executed: Float32Array;
  /** [A] the expert's clean action before this step; only with expert actors, and zeros for whoever else is in such a tick. */
  readonly target: Float32Array | undefined;
  /** [bodies * 7] position and quaternion of every body but the world; only when poses were asked for. */
  readonly poses: Float32Array | undefined;
  /** [contacts * 11] of the same moment; only when contacts were asked for. */
  readonly contacts: Float32Array | undefined;
}

/** Splits an `observed` message into rows. The codec has checked each tensor by itself; here they are checked together. */
export function readTick(message: Observed, frames: readonly Uint8Array[]): Result<readonly TickRow[], string> {
  const environments = tensorView(message.environments, frames, 'uint16');
  const count = environments.length;
  const width = message.observations.shape[1] ?? 0;
  const actionSize = message.executed.shape[1] ?? 0;
  const problem = mismatch(message, count, actionSize);
  if (problem !== undefined) return failure(problem);
  const episodes = tensorView(message.episodes, frames, 'uint32');
  const steps = tensorView(message.steps, frames, 'uint32');
  const observations = tensorView(message.observations, frames, 'float32');
  const rewards = tensorView(message.rewards, frames, 'float64');
  const flags = tensorView(message.flags, frames, 'uint8');
  const executed = tensorView(message.executed, frames, 'float32');
  const targets = message.targets && tensorView(message.targets, frames, 'float32');
  const poses = splitPoses(message, frames, flags);
  if (!poses.ok) return poses;
  const contacts = splitContacts(message, frames, flags);
  if (!contacts.ok) return contacts;
  const rows: TickRow[] = [];
  for (let row = 0; row < count; row++) {
    const bits = flags[row] ?? 0;
    const terminated = (bits & STEP_FLAGS.terminated) !== 0;
    const truncated = (bits & STEP_FLAGS.truncated) !== 0;
    const unstable = (bits & STEP_FLAGS.unstable) !== 0;
    rows.push({
      environment: environments[row] ?? 0,
      episode: episodes[row] ?? 0,
      step: steps[row] ?? 0,
      observation: observations.subarray(row * width, (row + 1) * width),
      reward: rewards[row] ?? 0,
      flags: bits,
      success: (bits & STEP_FLAGS.success) !== 0,
      terminated,
      truncated,
      unstable,
      finished: terminated || truncated || unstable,
      executed: executed.subarray(row * actionSize, (row + 1) * actionSize),
      target: targets?.subarray(row * actionSize, (row + 1) * actionSize),
      poses: poses.value[row],
      contacts: contacts.value[row],
    });
  }
  return success(rows);
}

function mismatch(message: Observed, count: number, actionSize: number): string | undefined {
  const vectors = [message.environments, message.episodes, message.steps, message.rewards, message.flags];
  if (vectors.some(({ shape }) => shape.length !== 1 || shape[0] !== count)) return 'its row tensors differ in length';
  const matrices = [message.observations, message.executed, ...(message.targets ? [message.targets] : [])];
  if (matrices.some(({ shape }) => shape.length !== 2 || shape[0] !== count)) return 'its matrices differ in rows';
  if (message.targets && message.targets.shape[1] !== actionSize) return 'targets and executed differ in width';
  return undefined;
}

function splitPoses(
  message: Observed,
  frames: readonly Uint8Array[],
  flags: Uint8Array,
): Result<readonly (Float32Array | undefined)[], string> {
  const withPoses = flags.reduce((sum, bits) => sum + ((bits & STEP_FLAGS.poses) === 0 ? 0 : 1), 0);
  if (withPoses === 0) return success(Array.from(flags, () => undefined));
  if (!message.poses || !message.poseCounts) return failure('rows say they have poses but there are none');
  const poses = tensorView(message.poses, frames, 'float32');
  const counts = tensorView(message.poseCounts, frames, 'uint16');
  const parts = partsOf(flags, { numbers: poses, counts, width: 7 });
  return parts === undefined ? failure('its poses do not add up') : success(parts);
}

function splitContacts(
  message: Observed,
  frames: readonly Uint8Array[],
  flags: Uint8Array,
): Result<readonly (Float32Array | undefined)[], string> {
  if (!message.contacts || !message.contactCounts) return success([]);
  const contacts = tensorView(message.contacts, frames, 'float32');
  const counts = tensorView(message.contactCounts, frames, 'uint16');
  const parts = partsOf(flags, { numbers: contacts, counts, width: 11 });
  return parts === undefined ? failure('its contacts do not add up') : success(parts);
}

/** What belongs to each row with poses; undefined for the others, and as a whole if it does not add up. */
function partsOf(
  flags: Uint8Array,
  { numbers, counts, width }: { readonly numbers: Float32Array; readonly counts: Uint16Array; readonly width: number },
): (Float32Array | undefined)[] | undefined {
  const owners = flags.reduce((sum, bits) => sum + ((bits & STEP_FLAGS.poses) === 0 ? 0 : 1), 0);
  const total = counts.reduce((sum, rows) => sum + rows, 0);
  if (counts.length !== owners || total * width !== numbers.length) return undefined;
  let next = 0;
  let offset = 0;
  return Array.from(flags, (bits) => {
    if ((bits & STEP_FLAGS.poses) === 0) return undefined;
    const rows = counts[next++] ?? 0;
    const view = numbers.subarray(offset, offset + rows * width);
    offset += rows * width;
    return view;
  });
}
