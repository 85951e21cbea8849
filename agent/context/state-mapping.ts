import { distance } from 'fastest-levenshtein';
import { domainOf, type TaskSpec } from '../../protocol/task.ts';
import { AgentError } from '../agent-error.ts';

interface Slot {
  readonly start: number;
  readonly length: number;
}

/** Where each named observation of DMControl goes in the unified vector; each as long as the longest of the suite (spec §2.1). */
export const DMCONTROL_SLOTS: Readonly<Record<string, Slot>> = {
  orientations: { start: 0, length: 14 },
  velocity: { start: 14, length: 27 },
  position: { start: 41, length: 8 },
  touch: { start: 49, length: 5 },
  target_position: { start: 54, length: 2 },
  dist_to_target: { start: 56, length: 1 },
  joint_angles: { start: 57, length: 21 },
  upright: { start: 78, length: 1 },
  target: { start: 79, length: 3 },
  head_height: { start: 82, length: 1 },
  extremities: { start: 83, length: 12 },
  torso_vertical: { start: 95, length: 3 },
  com_velocity: { start: 98, length: 3 },
  arm_pos: { start: 101, length: 16 },
  arm_vel: { start: 117, length: 8 },
  hand_pos: { start: 125, length: 4 },
  object_pos: { start: 129, length: 4 },
  object_vel: { start: 133, length: 3 },
  target_pos: { start: 136, length: 4 },
  orientation: { start: 140, length: 2 },
  to_target: { start: 142, length: 2 },
  joints: { start: 144, length: 14 },
  body_velocities: { start: 158, length: 45 },
  height: { start: 203, length: 1 },
};

/** Meta-World's one vector lies at the front and overlaps the slots of DMControl; the model tells them apart by content. */
const METAWORLD_SLOTS: Readonly<Record<string, Slot>> = { state: { start: 0, length: 39 } };

/**
 * Where each value of a task's flattened observation goes in the unified vector. A part shorter than its slot fills the front.
 *
 * @param stateSize S, size of the unified vector
 * @returns [W] indices, no two equal
 * @throws AgentError L2M_TASK_UNSUPPORTED for an unknown, repeated or too long part
 */
export function stateIndices(spec: Pick<TaskSpec, 'task' | 'observation'>, stateSize: number): Int32Array {
  const slots = domainOf(spec.task) === 'metaworld' ? METAWORLD_SLOTS : DMCONTROL_SLOTS;
  const indices: number[] = [];
  const seen = new Set<string>();
  for (const { name, size } of spec.observation) {
    const slot = Object.hasOwn(slots, name) ? slots[name] : undefined;
    if (slot === undefined) throw unsupported(spec.task, `observes "${name}"${suggestion(name, slots)}`);
    if (seen.has(name)) throw unsupported(spec.task, `observes "${name}" twice`);
    if (size > slot.length)
      throw unsupported(spec.task, `observes ${size} values of "${name}", the policy has ${slot.length}`);
    if (slot.start + size > stateSize)
      throw unsupported(spec.task, `"${name}" lies beyond the ${stateSize} values of the policy`);
    seen.add(name);
    for (let i = 0; i < size; i++) indices.push(slot.start + i);
  }
  return Int32Array.from(indices);
}

function suggestion(name: string, slots: Readonly<Record<string, Slot>>): string {
  const nearest = Object.keys(slots).sort((a, b) => distance(a, name) - distance(b, name))[0];
  return nearest === undefined ? '' : `, which the policy does not know (nearest: "${nearest}")`;
}

function unsupported(task: string, what: string): AgentError {
  return new AgentError('L2M_TASK_UNSUPPORTED', `${task} ${what}`);
}
