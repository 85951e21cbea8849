import { KNOWN_TASKS } from '../../agent/tasks/groups.ts';
import { domainOf, taskName, type TaskId, type TaskSpec } from '../../protocol/task.ts';
import { L2mError, unknownNameError } from '../errors.ts';

/**
 * DMControl tasks of the reference's data sets: observation parts in the simulator's order, action dimensions, seconds of a step. The
 * simulators themselves are not asked: an import needs none.
 */
const DMCONTROL: Readonly<Record<string, readonly [parts: string, actionSize: number, controlTimestep: number]>> = {
  cartpole: ['position 3, velocity 2', 1, 0.01],
  finger: ['position 4, velocity 3, touch 2', 2, 0.02],
  'finger-turn_easy': ['position 4, velocity 3, touch 2, target_position 2, dist_to_target 1', 2, 0.02],
  'finger-turn_hard': ['position 4, velocity 3, touch 2, target_position 2, dist_to_target 1', 2, 0.02],
  fish: ['joint_angles 7, upright 1, velocity 13', 5, 0.04],
  hopper: ['position 6, velocity 7, touch 2', 4, 0.02],
  pendulum: ['orientation 2, velocity 1', 1, 0.02],
  point_mass: ['position 2, velocity 2', 2, 0.02],
  reacher: ['position 2, to_target 2, velocity 2', 2, 0.02],
  walker: ['orientations 14, height 1, velocity 9', 6, 0.025],
  ball_in_cup: ['position 4, velocity 4', 2, 0.02],
  cheetah: ['position 8, velocity 9', 6, 0.01],
};

/**
 * The task that a data file of the reference is named after: `hammer-v2`, `walker_walk`. Meta-World's tasks have kept their
 * observations and actions from version 2 to 3, so version 2 is taken for version 3.
 *
 * @throws L2mError L2M_TASK_UNKNOWN with the nearest task
 */
export function taskOfFileName(stem: string): TaskId {
  const wanted = comparable(stem);
  const found = KNOWN_TASKS.find((task) => comparable(taskName(task)) === wanted);
  if (found === undefined) throw unknownNameError('L2M_TASK_UNKNOWN', stem, KNOWN_TASKS.map(taskName));
  return found;
}

function comparable(name: string): string {
  return name.toLowerCase().replaceAll('_', '-').replace(/-v\d$/, '');
}

/** @throws L2mError L2M_TASK_UNSUPPORTED for a DMControl task that the reference has no data of */
export function specOfTask(task: TaskId): TaskSpec {
  if (domainOf(task) === 'metaworld') {
    const observation = [{ name: 'state', size: 39 }];
    return { task, observation, actionSize: 4, controlTimestep: 0.0125, reportsSuccess: true, hasExpert: true };
  }
  const name = taskName(task);
  const found = DMCONTROL[name] ?? DMCONTROL[name.slice(0, name.lastIndexOf('-'))];
  if (found === undefined) {
    throw new L2mError('L2M_TASK_UNSUPPORTED', `the order of the observations of ${task} is not known`, {
      hint: 'Data of the tasks in DMC16 and MT50 can be imported.',
    });
  }
  const [parts, actionSize, controlTimestep] = found;
  const observation = parts.split(', ').map((part) => {
    const [partName = '', size] = part.split(' ');
    return { name: partName, size: Number(size) };
  });
  return { task, observation, actionSize, controlTimestep, reportsSuccess: false, hasExpert: false };
}
