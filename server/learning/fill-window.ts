import { padToken } from '../../agent/config.ts';
import { zeroActionToken } from '../../agent/context/action-tokenizer.ts';
import type { TaskContext } from '../../agent/context/task-context.ts';
import type { BatchArrays } from './batch-arrays.ts';
import type { LearningTask } from './learning-task.ts';

/** A task and how the policy sees it: the same tables that acting uses. */
export interface WindowSource {
  readonly task: LearningTask;
  readonly context: TaskContext;
  /** Highest return of an episode, unscaled. */
  readonly best: number;
}

/** How much later an episode is said to have come to a window, and how much more it is said to be still owed. */
export interface Lateness {
  readonly steps: number;
  /** Unscaled. */
  readonly owed: number;
}

export const ON_TIME: Lateness = { steps: 0, owed: 0 };

/** One window of a batch. */
export interface Window {
  readonly source: WindowSource;
  /** First row of the episode. */
  readonly first: number;
  /** Rows row..end-1 are shown. */
  readonly row: number;
  readonly end: number;
  /** What is added to a scaled value. */
  readonly perturb: () => number;
  readonly late: Lateness;
}

/** Writes one window, padded on the left, into a batch that was cleared. */
export function fillWindow(batch: BatchArrays, window: number, shown: Window): void {
  const { source, first, row, end, perturb, late } = shown;
  const { model } = batch;
  const { task, context } = source;
  const { stateIndices, background, shift, factor, rewardScale, actionSize, observationSize } = context;
  const { trajectories } = task;
  const zeroToken = zeroActionToken(model.bins);
  batch.searchGroups[window] = context.searchGroup;
  for (let from = row; from < end; from++) {
    const step = (window + 1) * model.context - (end - from);
    const state = step * model.stateSize;
    batch.states.set(background, state);
    for (let i = 0; i < observationSize; i++) {
      const value = trajectories.observations[from * observationSize + i] ?? 0;
      batch.states[state + (stateIndices[i] ?? 0)] = (value - (shift[i] ?? 0)) * (factor[i] ?? 1) + perturb();
    }
    const action = step * model.actionSize;
    for (let i = 0; i < model.actionSize; i++) {
      const real = i < actionSize;
      batch.actionTokens[action + i] = real ? (task.actionTokens[from * actionSize + i] ?? 0) : zeroToken;
      batch.targetTokens[action + i] = real ? (task.targetTokens[from * actionSize + i] ?? 0) : 0;
      batch.actionMask[action + i] = real ? 1 : 0;
    }
    batch.returnsToGo[step] = ((task.returnsToGo[from] ?? 0) + late.owed) / rewardScale;
    batch.rewards[step] = (trajectories.rewards[from] ?? 0) / rewardScale;
    batch.timesteps[step] = from - first + late.steps;
    batch.stepMask[step] = 1;
  }
}

/** All windows empty: padding alone. */
export function clearBatch(batch: BatchArrays): void {
  batch.states.fill(0);
  batch.actionTokens.fill(padToken(batch.model));
  batch.targetTokens.fill(0);
  batch.returnsToGo.fill(0);
  batch.rewards.fill(0);
  batch.timesteps.fill(0);
  batch.stepMask.fill(0);
  batch.actionMask.fill(0);
}
