import { isPool, type ModulationConfig, type PolicyConfig, type PolicyOptions } from '../../agent/config.ts';
import { observationLayout } from '../../agent/context/observation-layout.ts';
import { modelShapes, poolShapes, selectArrays, unusedShapes } from '../../agent/weights/names.ts';
import type { TaskId } from '../../protocol/task.ts';
import { policyConfigOf } from '../checkpoints/manifest.ts';
import { readCheckpoint, type Checkpoint } from '../checkpoints/read-checkpoint.ts';
import type { WeightArrays } from '../checkpoints/weights-file.ts';
import type { LearningTask } from '../learning/learning-task.ts';
import { loadTrainingData, type TrainingData } from '../learning/training-data.ts';
import type { ContinualSettings } from './continual-options.ts';
import { changesOf, CONTINUAL_METHODS, modulationOf, type ContinualMethod } from './methods.ts';
import type { RunFolder } from './run-folder.ts';

/** What a continual training is made from. */
export interface TrainingMaterial {
  readonly base: Checkpoint;
  readonly model: WeightArrays;
  readonly policy: PolicyConfig;
  /** Data of every task of the sequence, by task. */
  readonly tasks: ReadonlyMap<TaskId, LearningTask>;
  /** Of the pre-training, where the method needs it. */
  readonly identity: readonly LearningTask[];
  readonly data: TrainingData;
}

/** Tasks whose data a run needs: the sequence, and where it looks at it the pre-training. */
export function tasksToRead(settings: ReadSettings & Pick<ContinualSettings, 'sequence' | 'identityTasks'>): TaskId[] {
  return [...new Set([...settings.sequence, ...(readsPretraining(settings) ? settings.identityTasks : [])])];
}

type ReadSettings = Pick<ContinualSettings, 'method' | 'query'>;

/** Whether a training looks at data of the pre-training: fitted keys do, and tables of standardised queries. */
export function readsPretraining({ method, query }: ReadSettings): boolean {
  const { fittedKeys }: ContinualMethod = CONTINUAL_METHODS[method];
  return fittedKeys === true || query === 'standardised';
}

/**
 * Reads the checkpoint and the data in the folder of a run.
 * @throws L2mError L2M_CHECKPOINT_INVALID, L2M_DATA_INVALID
 */
export async function readMaterial(folder: RunFolder, settings: ContinualSettings): Promise<TrainingMaterial> {
  const base = await readCheckpoint(folder.base);
  const { model, modulation, options } = policyConfigOf(base.manifest);
  const files = tasksToRead(settings).map((task) => folder.trajectoryFile(task, settings.source));
  const data = await loadTrainingData({ files, model, heldOutShare: 0, standardise: false });
  const byTask = new Map(data.tasks.map((task) => [task.trajectories.head.task, task] as const));
  const dataOf = (tasks: readonly TaskId[]) => tasks.flatMap((task) => byTask.get(task) ?? []);
  const method: ContinualMethod = CONTINUAL_METHODS[settings.method];
  const distinct = [...new Set(settings.sequence)];
  const tasks = new Map(distinct.flatMap((task) => dataOf([task]).map((found) => [task, found] as const)));
  const identity = readsPretraining(settings) ? dataOf(settings.identityTasks) : [];
  const modulated = modulationOf(method, {
    ...{ model, tasks: distinct.length, others: settings.others.length },
    ...{ identityKeys: settings.identityKeys, keysPerTask: settings.keysPerTask, changes: changesOf(settings) },
  });
  return {
    base,
    model: selectArrays(base.arrays, modelShapes(model), { ...unusedShapes(model), ...poolShapes(model, modulation) }),
    policy: {
      model,
      modulation: modulated,
      options: {
        ...options,
        ...(method.oracle === true ? { taskOrder: [...distinct, ...settings.others] } : {}),
        ...searchedLayouts(modulated, [...identity, ...tasks.values()]),
      },
    },
    ...{ tasks, identity, data },
  };
}

/** The order that keys of a pool searched by layout name layouts by: that in which the tasks with keys come. */
export function searchedLayouts(
  modulation: ModulationConfig,
  tasks: readonly LearningTask[],
): Pick<PolicyOptions, 'layoutOrder'> {
  if (!isPool(modulation) || modulation.byLayout !== true) return {};
  return { layoutOrder: [...new Set(tasks.map(observationLayout))] };
}
