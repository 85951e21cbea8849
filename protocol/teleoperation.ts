import { domainOf, type TaskId } from './task.ts';

/**
 * Dimensions of a task's action that stay as they were when a person lets go; all others go to 0. Meta-World's first three
 * are displacements of the hand, so that 0 stands still; the fourth is how hard the gripper closes, and 0 would drop things.
 */
export function heldDimensions(task: TaskId): readonly number[] {
  return domainOf(task) === 'metaworld' ? [3] : [];
}

/** What is done when a person has let go: `action` with all but the held dimensions at 0. */
export function relaxedAction(task: TaskId, action: readonly number[]): number[] {
  const held = heldDimensions(task);
  return action.map((value, dimension) => (held.includes(dimension) ? value : 0));
}
