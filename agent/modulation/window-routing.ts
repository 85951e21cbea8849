import { AgentError } from '../agent-error.ts';
import type { PoolModulation } from '../config.ts';
import { add, cast, reshape, type Tensor } from '../ops.ts';
import {
  KEY_BIAS_NAME,
  KEY_LAYOUT_NAME,
  KEY_MODULATOR_NAME,
  parameter,
  type ParameterRecord,
} from '../weights/names.ts';
import { layoutBias } from './layout-bias.ts';
import type { Routing } from './match.ts';
import { taskGroupBias } from './task-groups.ts';

export interface WindowRoutingOptions {
  readonly modulation: PoolModulation;
  /** What the caller adds: the penalty of counts, a bias of its own. */
  readonly routing: Routing;
  /** [B] int32, where the pool is searched by the true task (spec §3.7) or by the layout of observations. */
  readonly searchGroups?: Tensor | undefined;
}

/**
 * How the keys of a pool are searched for a batch of windows: the caller's routing, the group of the true task or of the layout, and the table of
 * a pool whose keys share modulators.
 *
 * @throws AgentError L2M_SHAPE_MISMATCH if the pool is searched by task or layout and the windows do not say theirs
 */
export function windowRouting(
  parameters: ParameterRecord,
  { modulation, routing, searchGroups }: WindowRoutingOptions,
): Routing {
  const { keyCount, taskGroups } = modulation;
  const biases = routing.scoreBias === undefined ? [] : [routing.scoreBias];
  if (taskGroups !== undefined) {
    const taskIndices = stated(searchGroups, `${taskGroups} groups of keys, one a task`);
    biases.push(taskGroupBias(taskIndices, { keyCount, taskGroups }));
  }
  if (modulation.byLayout === true) {
    const layouts = stated(searchGroups, 'keys by layout');
    biases.push(layoutBias(layouts, parameter(parameters, KEY_LAYOUT_NAME)));
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

function stated(searchGroups: Tensor | undefined, what: string): Tensor {
  if (searchGroups !== undefined) return searchGroups;
  throw new AgentError('L2M_SHAPE_MISMATCH', `no searchGroups for a pool with ${what}`);
}
