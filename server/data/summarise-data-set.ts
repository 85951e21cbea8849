import { episodeSuccess, successRate, type Rate } from '../../agent/scoring/success.ts';
import { readFloats } from '../learning/stored-episode.ts';
import type { Provenance } from '../learning/trajectory-format.ts';
import type { DataSet } from './open-data-set.ts';
import { returnHistogram, type ReturnHistogram } from './return-histogram.ts';

/** What is in a data set, or in a part of it. Success is null where the simulator does not report it. */
export interface EpisodeStatistics {
  readonly episodes: number;
  readonly transitions: number;
  readonly meanReturn: number;
  /** Share of episodes with success after any step, and after the last one, with Wilson intervals. */
  readonly successAnyTime: Rate | null;
  readonly successAtEnd: Rate | null;
}

export interface DataSetSummary extends EpisodeStatistics {
  readonly task: string;
  readonly source: string;
  /** `collecting`: there are episodes that are not in the finished file. */
  readonly state: 'finished' | 'collecting' | 'empty';
  /** Episodes not in the finished file. */
  readonly unfinishedEpisodes: number;
  readonly returns: ReturnHistogram | null;
  /** By deviation of the noise on the actions. */
  readonly byNoise: Readonly<Record<string, EpisodeStatistics>>;
  readonly sha256: string | null;
  readonly provenance: Provenance;
}

interface EpisodeFacts {
  readonly noise: number;
  readonly steps: number;
  readonly return: number;
  readonly anyTime: boolean;
  readonly atEnd: boolean;
}

/** Bins of a histogram; also the width of its line in the terminal. */
const BINS = 16;

/** Reads rewards and successes of every episode, nothing else. */
export async function summariseDataSet(set: DataSet): Promise<DataSetSummary> {
  const facts: EpisodeFacts[] = [];
  for (const episode of set.episodes) {
    const rewards = await readFloats(episode, 'rewards');
    const { anyTime, atEnd } = episodeSuccess(await episode.read('successes'));
    const sum = rewards.reduce((total, reward) => total + reward, 0);
    facts.push({ noise: shortNoise(episode.noise), steps: episode.steps, return: sum, anyTime, atEnd });
  }
  const { task, source, spec, provenance } = set.head;
  const levels = [...new Set(facts.map(({ noise }) => noise))].sort((a, b) => a - b);
  return {
    ...{ task, source, provenance, sha256: set.contentHash ?? null, unfinishedEpisodes: set.loggedEpisodes },
    state: set.loggedEpisodes > 0 ? 'collecting' : facts.length === 0 ? 'empty' : 'finished',
    ...statisticsOf(facts, spec.reportsSuccess),
    returns:
      facts.length === 0
        ? null
        : returnHistogram(
            facts.map((each) => each.return),
            BINS,
          ),
    byNoise: Object.fromEntries(
      levels.map((level) => [
        String(level),
        statisticsOf(
          facts.filter(({ noise }) => noise === level),
          spec.reportsSuccess,
        ),
      ]),
    ),
  };
}

function statisticsOf(facts: readonly EpisodeFacts[], reportsSuccess: boolean): EpisodeStatistics {
  const count = facts.length;
  const rateOf = (hit: (fact: EpisodeFacts) => boolean) =>
    reportsSuccess ? successRate(facts.filter(hit).length, count) : null;
  return {
    episodes: count,
    transitions: facts.reduce((sum, { steps }) => sum + steps, 0),
    meanReturn: facts.reduce((sum, fact) => sum + fact.return, 0) / Math.max(1, count),
    successAnyTime: rateOf(({ anyTime }) => anyTime),
    successAtEnd: rateOf(({ atEnd }) => atEnd),
  };
}

/** Noise is kept in float32; this gives back the 0.1 that was typed. */
function shortNoise(noise: number): number {
  return Number(noise.toPrecision(6));
}
