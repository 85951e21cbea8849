import { AgentError } from '../agent-error.ts';
import type { PoolModulation } from '../config.ts';
import { add, cast, reshape, type Tensor } from '../ops.ts';
import { KEY_BIAS_NAME, KEY_MODULATOR_NAME, parameter, type ParameterRecord } from '../weights/names.ts';
import type { Routing } from './match.ts';
import { taskGroupBias } from './task-groups.ts';

export interface WindowRoutingOptions {
  readonly modulation: PoolModulation;
  /** What the caller adds: the penalty of counts, a bias of its own. */
  readonly routing: Routing;
  /** [B] int32, where the pool is searched by the true task (spec §3.7). */
  readonly taskIndices?: Tensor | undefined;
}

/**
 * How the keys of a pool are searched for a batch of windows: the caller's routing, the group of the true task, and the table of
 * a pool whose keys share modulators.
 *
 * @throws AgentError L2M_SHAPE_MISMATCH if the pool is searched by task and the windows do not say theirs
 */
export function windowRouting(
  parameters: ParameterRecord,
  { modulation, routing, taskIndices }: WindowRoutingOptions,
): Routing {
  const { keyCount, taskGroups } = modulation;
  const biases = routing.scoreBias === undefined ? [] : [routing.scoreBias];
  if (taskGroups !== undefined) {
    if (taskIndices === undefined) {
      throw new AgentError('L2M_SHAPE_MISMATCH', `no taskIndices for a pool in ${taskGroups} groups, one a task`);
    }
    biases.push(taskGroupBias(taskIndices, { keyCount, taskGroups }));
  }
  if (modulation.keyTable !== true) return { ...routing, ...summed(biases) };
  biases.push(reshape(parameter(parameters, KEY_BIAS_NAME), [1, keyCount]));
  const table = cast(parameter(parameters, KEY_MODULATOR_NAME), 'int32');
  return { keyModulators: table, ...routing, ...summed(biases) };
}

function summed(biases: readonly Tensor[]): Pick<Routing, 'scoreBias'> {
  const [first, ...others] = biases;
  return first === undefined ? {} : { scoreBias: others.reduce((sum, bias) => add(sum, bias), first) };
}
