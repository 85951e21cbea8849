import type { Command } from 'commander';
import { join } from 'node:path';
import { expandTasks } from '../../agent/tasks/expand-tasks.ts';
import { findDataSets, type DataSetPlace } from '../data/data-sets.ts';
import { addConfigOptions, configOf } from './config-options.ts';

/** Which data sets of the data directory a command is about. */
export interface DataOptions extends Record<string, unknown> {
  readonly tasks?: string;
  readonly source?: string;
}

export function addDataOptions(command: Command): Command {
  command
    .option('--tasks <list>', 'only these tasks and groups')
    .option('--source <name>', 'only this source, such as expert or sac');
  return addConfigOptions(command, ['data']);
}

/** @throws L2mError L2M_DATA_INVALID if there is none, L2M_TASK_UNKNOWN */
export function chosenDataSets(options: DataOptions): Promise<DataSetPlace[]> {
  return findDataSets(join(configOf(options).data, 'trajectories'), {
    ...(options.tasks === undefined ? {} : { tasks: expandTasks(options.tasks.split(',')) }),
    ...(options.source === undefined ? {} : { source: options.source }),
  });
}
