import type { PolicyConfig } from '../../agent/config.ts';
import { observationLayout } from '../../agent/context/observation-layout.ts';
import type { BatchSource } from '../continual/batch-source.ts';
import type { DataSource } from '../checkpoints/manifest.ts';
import { mostDimensions, type LearningTask } from '../learning/learning-task.ts';
import { loadTrainingData } from '../learning/training-data.ts';
import { trajectoryPath } from '../learning/trajectory-writer.ts';
import { seedFor, windowSampler, type WindowSampler } from '../learning/window-sampler.ts';
import { DEMONSTRATION_SOURCE, OWN_SOURCE, type AdaptationFolder } from './adaptation-folder.ts';
import type { AdaptationSettings } from './adaptation-settings.ts';
import { episodeFigures, keepRule, keptEpisodes, newestKept } from './keep-rules.ts';

/** All data of the rounds so far. */
export interface RoundData {
  /** Files of the adapted task, oldest first, all episodes among those for training. */
  readonly visited: readonly LearningTask[];
  /** The same files with the kept episodes alone; files without any are left out. */
  readonly kept: readonly LearningTask[];
  readonly keptCount: number;
  /** Highest return of a kept episode, unscaled: the return to ask for from now on (spec §6.5). */
  readonly bestReturn: number;
  /** Of each pre-training task, in the order of the settings. */
  readonly identity: readonly LearningTask[];
  readonly sources: readonly DataSource[];
}

/** @throws L2mError L2M_DATA_INVALID for a damaged file */
export async function loadRoundData(
  folder: AdaptationFolder,
  settings: AdaptationSettings,
  { round, model }: { readonly round: number } & Pick<PolicyConfig, 'model'>,
): Promise<RoundData> {
  const { task, demonstrations, identityTasks, memoryEpisodes } = settings;
  const own = Array.from({ length: round }, (_, i) => folder.ownTrajectories(i + 1, task));
  const shown = demonstrations === 0 ? [] : [trajectoryPath(folder.demonstrations, task, DEMONSTRATION_SOURCE)];
  const load = (files: readonly string[]) => loadTrainingData({ files, model, heldOutShare: 0, standardise: false });
  const rounds = await load(own);
  const expert = await load(shown);
  const identity = await load(identityTasks.map((each) => trajectoryPath(folder.identity, each, OWN_SOURCE)));
  const remembered = newestKept(
    rounds.tasks.map(({ trajectories }) =>
      keptEpisodes(episodeFigures(trajectories), keepRule(settings, trajectories.head.spec.reportsSuccess)),
    ),
    memoryEpisodes,
  );
  const kept = [...expert.tasks, ...rounds.tasks.map((each, i) => ({ ...each, training: remembered[i] ?? [] }))];
  const returns = kept.flatMap(({ trajectories, training }) => {
    const figures = episodeFigures(trajectories);
    return training.map((episode) => figures[episode]?.return ?? -Infinity);
  });
  return {
    visited: [...expert.tasks, ...rounds.tasks],
    kept: kept.filter(({ training }) => training.length > 0),
    keptCount: returns.length,
    bestReturn: Math.max(...returns),
    identity: identity.tasks,
    sources: [...expert.sources, ...rounds.sources],
  };
}

/**
 * What the updates of a round learn from: batch n is a function of seed, round and n. Keys are fitted to all that was visited, as a policy has
 * to find its new row where it fails, too.
 */
export function roundSource(
  { visited, kept }: RoundData,
  { seed, afterSuccessWeight }: Pick<AdaptationSettings, 'seed' | 'afterSuccessWeight'>,
  { round, policy }: { readonly round: number; readonly policy: Pick<PolicyConfig, 'model' | 'options'> },
): Pick<BatchSource, 'fill' | 'samplerOf' | 'layoutOf' | 'actionDimensions'> {
  const sampler = (tasks: readonly LearningTask[], weight: number): WindowSampler =>
    windowSampler(tasks, {
      ...{ seed: seedFor(seed, 'adaptation round', round), split: 'training', policy, alternateDomains: false },
      afterSuccessWeight: weight,
    });
  const own = sampler(kept, afterSuccessWeight);
  return {
    fill: (batch, index) => own.fill(batch, index),
    samplerOf: () => sampler(visited, 1),
    layoutOf: () => observationLayout(firstOf(kept)),
    actionDimensions: mostDimensions(kept),
  };
}

function firstOf(tasks: readonly LearningTask[]): LearningTask {
  const [first] = tasks;
  if (first === undefined) throw new RangeError('nothing was kept');
  return first;
}
