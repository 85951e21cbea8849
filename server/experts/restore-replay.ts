import type { ExpertShape } from '../../agent/experts/expert-shape.ts';
import { L2mError } from '../errors.ts';
import type { TrajectoryWriter } from '../learning/trajectory-writer.ts';
import { decisionsOf, type ExpertOptions } from './expert-options.ts';
import type { LearnerHost } from './learner-host.ts';
import type { LearnerPosition } from './learner.ts';
import { replayEpisodeOf } from './replay-episode.ts';

export interface RestoreOptions {
  readonly options: ExpertOptions;
  readonly shape: ExpertShape;
  readonly writer: TrajectoryWriter;
}

/** Gives a learner that goes on the finished episodes of earlier sessions. @throws L2mError L2M_DATA_INVALID if some are gone */
export async function restoreReplay(
  learner: LearnerHost,
  position: LearnerPosition,
  { options, shape, writer }: RestoreOptions,
): Promise<void> {
  const wanted = position.round * options.lanes;
  let found = 0;
  for await (const episode of writer.kept()) {
    if (episode.start >= wanted) break;
    await learner.put({ number: episode.start, episode: replayEpisodeOf(episode, shape, options) });
    found++;
  }
  if (found === wanted) return;
  throw new L2mError(
    'L2M_DATA_INVALID',
    `${writer.path} has ${found} of the ${wanted} episodes that were learned from`,
    {
      hint: 'Bring the file back, or start over with --overwrite.',
    },
  );
}

/** A round whose episodes are all kept is over; the lanes of any other are brought to where they were. */
export function whereToStart(
  position: LearnerPosition,
  history: readonly Float32Array[],
  { options, writer }: RestoreOptions,
): { readonly round: number; readonly history: readonly Float32Array[] } {
  const { round, decisions } = position;
  const numbers = Array.from({ length: options.lanes }, (_, lane) => round * options.lanes + lane);
  const over = decisions === decisionsOf(options) && numbers.every((number) => writer.hasEpisode(number, 0));
  return over ? { round: round + 1, history: [] } : { round, history };
}
