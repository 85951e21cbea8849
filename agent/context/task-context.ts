import { domainOf, type TaskId, type TaskSpec } from '../../protocol/task.ts';
import { AgentError } from '../agent-error.ts';
import type { PolicyConfig } from '../config.ts';
import { observationLayout } from './observation-layout.ts';
import { stateIndices } from './state-mapping.ts';

/** What a context window has to know of a task, computed once for all its episodes. */
export interface TaskContext {
  readonly task: TaskId;
  /** W, length of the task's own observation. */
  readonly observationSize: number;
  /** d, action dimensions the task has. */
  readonly actionSize: number;
  /** [W] place of each value in the unified vector. */
  readonly stateIndices: Int32Array;
  /** [S] what the unified vector shows where the task has nothing: zero, standardised like everything else. */
  readonly background: Float32Array;
  /** [W] a value becomes (value - shift) * factor. */
  readonly shift: Float64Array;
  readonly factor: Float64Array;
  /** Rewards and returns are divided by it. */
  readonly rewardScale: number;
  /** Scaled. */
  readonly initialReturnToGo: number;
  /** Steps after which context, timestep and return-to-go start anew; null: never. */
  readonly restartAt: number | null;
  /** Its place in the policy's order of tasks, or its layout's in that of layouts (-1: not in it); 0 for policies without either. */
  readonly searchGroup: number;
}

/** Added to every deviation, so that dimensions that hardly change do not explode. */
const DEVIATION_FLOOR = 0.01;

/**
 * @param targetReturn the return to ask for, unscaled
 * @throws AgentError L2M_TASK_UNSUPPORTED if observations or actions do not fit the policy, or it knows its tasks and this is none of them
 */
export function taskContext(
  spec: Pick<TaskSpec, 'task' | 'observation' | 'actionSize'>,
  { model, options }: Pick<PolicyConfig, 'model' | 'options'>,
  targetReturn: number,
): TaskContext {
  if (spec.actionSize > model.actionSize) {
    throw new AgentError(
      'L2M_TASK_UNSUPPORTED',
      `${spec.task} has ${spec.actionSize} action dimensions, the policy has ${model.actionSize}`,
    );
  }
  const domain = domainOf(spec.task);
  const indices = stateIndices(spec, model.stateSize);
  const table = options.standardise?.[domain];
  if (table !== undefined && (table.mean.length !== model.stateSize || table.deviation.length !== model.stateSize)) {
    throw new AgentError(
      'L2M_CHECKPOINT_INVALID',
      `the standardisation of ${domain} does not have ${model.stateSize} entries`,
    );
  }
  const shiftOf = (i: number): number => table?.mean[i] ?? 0;
  const factorOf = (i: number): number => (table === undefined ? 1 : 1 / (table.deviation[i]! + DEVIATION_FLOOR));
  const searchGroup = searchGroupOf({ task: spec.task, stateIndices: indices, actionSize: spec.actionSize }, options);
  const rewardScale = options.rewardScale[domain];
  const { restartAtHorizon } = options;
  return {
    task: spec.task,
    observationSize: indices.length,
    actionSize: spec.actionSize,
    stateIndices: indices,
    background: Float32Array.from({ length: model.stateSize }, (_, i) => (0 - shiftOf(i)) * factorOf(i)),
    shift: Float64Array.from(indices, shiftOf),
    factor: Float64Array.from(indices, factorOf),
    rewardScale,
    restartAt: typeof restartAtHorizon === 'object' ? (restartAtHorizon?.[domain] ?? null) : restartAtHorizon,
    initialReturnToGo: Math.fround(targetReturn / rewardScale),
    searchGroup,
  };
}

function searchGroupOf(
  { task, ...observed }: Pick<TaskContext, 'task' | 'stateIndices' | 'actionSize'>,
  { taskOrder, layoutOrder }: PolicyConfig['options'],
): number {
  if (layoutOrder !== undefined) return layoutOrder.indexOf(observationLayout(observed));
  if (taskOrder === undefined) return 0;
  const place = taskOrder.indexOf(task);
  if (place >= 0) return place;
  throw new AgentError(
    'L2M_TASK_UNSUPPORTED',
    `${task} has no keys in a pool searched by task (${taskOrder.join(', ')})`,
  );
}
