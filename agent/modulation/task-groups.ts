import type { PoolSizes } from '../config.ts';
import { matMul, mul, oneHot, sub, tensor, type Tensor } from '../ops.ts';

/** Added to the score of another task's key; no similarity makes up for it. */
const EXCLUDED = 1e9;

/**
 * L2M-oracle: the true task decides which keys are searched, in learning and in evaluation (spec §3.7). The keys lie in consecutive
 * groups of floor(K / taskGroups); keys that are left over belong to no task.
 *
 * @param taskIndices [B] int32, 0..taskGroups-1; windows of several tasks may share a batch
 * @returns [B, K], for `Routing.scoreBias`; owned by the caller
 */
export function taskGroupBias(
  taskIndices: Tensor,
  { keyCount, taskGroups }: Pick<PoolSizes, 'keyCount'> & { readonly taskGroups: number },
): Tensor {
  const groupSize = Math.floor(keyCount / taskGroups);
  const members = new Float32Array(taskGroups * keyCount);
  for (let group = 0; group < taskGroups; group++) {
    const at = group * keyCount + group * groupSize;
    members.fill(1, at, at + groupSize);
  }
  const tasks = oneHot(taskIndices, taskGroups, 1, 0, 'float32');
  return mul(sub(matMul(tasks, tensor(members, [taskGroups, keyCount])), 1), EXCLUDED);
}
