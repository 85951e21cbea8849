import type { Episode } from '../learning/episode.ts';
import type { ExpertShape } from '../../agent/experts/expert-shape.ts';
import { decisionsOf, type ExpertSettings } from './expert-options.ts';
import { emptyEpisode, type ReplayEpisode } from './replay.ts';

/** An episode of a trajectory file, one row a simulator step, as the replay has it, one row a decision. */
export function replayEpisodeOf(
  episode: Pick<Episode, 'observations' | 'actions' | 'rewards'>,
  shape: ExpertShape,
  settings: Pick<ExpertSettings, 'horizon' | 'actionRepeat'>,
): ReplayEpisode {
  const { observationSize, actionSize } = shape;
  const { actionRepeat } = settings;
  const decisions = decisionsOf(settings);
  const result = emptyEpisode({ shape, decisions });
  for (let decision = 0; decision < decisions; decision++) {
    const row = decision * actionRepeat;
    const observation = episode.observations.subarray(row * observationSize, (row + 1) * observationSize);
    result.observations.set(observation, decision * observationSize);
    result.actions.set(episode.actions.subarray(row * actionSize, (row + 1) * actionSize), decision * actionSize);
    // In double precision and in order, as the running training adds them up.
    let sum = 0;
    for (let step = 0; step < actionRepeat; step++) sum += episode.rewards[row + step] ?? 0;
    result.rewards[decision] = sum;
  }
  return result;
}
