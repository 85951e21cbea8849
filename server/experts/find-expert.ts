import { access } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { domainOf, taskName, type TaskId } from '../../protocol/task.ts';
import { L2mError } from '../errors.ts';

/** Name of a training and of its data set, unless one is given. */
export const TRAINED_SOURCE = 'sac';

/** Experts that come with this checkout: `<domain>/<task>.safetensors`. */
export const SHIPPED_EXPERTS = fileURLToPath(new URL('../../agent/checkpoints/experts', import.meta.url));

/** Where `l2m train-expert` leaves the best actor of a training. */
export function expertPath(folder: string): string {
  return join(folder, 'expert.safetensors');
}

/** The expert of a task that comes with this checkout, whether there is one or not. */
export function shippedExpert(task: TaskId): string {
  return join(SHIPPED_EXPERTS, domainOf(task), `${taskName(task)}.safetensors`);
}

/** Folder of a training: states, curve, log and expert. */
export function expertFolder(data: string, task: TaskId, source: string): string {
  return join(data, 'experts', domainOf(task), taskName(task), source);
}

/**
 * The trained expert of a task: one's own of the name `source` if there is one, or else the shipped one.
 * @throws L2mError L2M_TASK_UNSUPPORTED if there is neither
 */
export async function findExpert(data: string, task: TaskId, source = TRAINED_SOURCE): Promise<string> {
  const own = expertPath(expertFolder(data, task, source));
  for (const path of [own, shippedExpert(task)]) {
    if (await exists(path)) return path;
  }
  throw new L2mError('L2M_TASK_UNSUPPORTED', `${task} has no expert`, {
    hint: `Train one: npx l2m train-expert --task ${taskName(task)}.`,
  });
}

/** Whether there is a file that may be read. */
export function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
