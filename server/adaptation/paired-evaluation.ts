import {
  NO_PAIRS,
  sequentialVerdict,
  withPair,
  type PairTally,
  type SequentialVerdict,
} from '../../agent/scoring/sequential-test.ts';
import { L2mError } from '../errors.ts';
import { openRowLog, readRows } from '../learning/row-log.ts';
import type { ActingPolicy } from '../rollouts/acting-policy.ts';
import { isAssisted, type ScoredEpisode } from '../store/records.ts';
import type { Actors } from './actors.ts';
import { startSeed, type AdaptationSettings, type SuccessChoice } from './adaptation-settings.ts';

/** Pairs of neighbouring starts; a line of `pairs.jsonl`. */
interface PairsRow {
  readonly firstStart: number;
  readonly episodes: number;
  /** Candidate less acting version, by start; starts that make no pair are left out. */
  readonly differences: readonly number[];
}

export interface PairedOptions {
  readonly settings: AdaptationSettings;
  readonly round: number;
  /** Where pairs are kept, so that a resumed evaluation goes on. */
  readonly path: string;
  readonly acting: ActingPolicy;
  readonly candidate: ActingPolicy;
  readonly told: (tally: PairTally) => Promise<void>;
}

export interface PairedOutcome {
  readonly tally: PairTally;
  readonly verdict: Exclude<SequentialVerdict, 'continue'>;
}

/**
 * Whether a candidate is worse than the version that acts, by pairs of episodes from the same starts. Every round has starts of its own: on
 * starts that promoted a version before, it looks better than it is.
 *
 * @returns undefined where it was stopped
 * @throws L2mError L2M_SIMULATOR_FAULT where not one pair came about
 */
export async function evaluatePairs(actors: Actors, options: PairedOptions): Promise<PairedOutcome | undefined> {
  const { settings, round, path, told } = options;
  const { test, pairsAtOnce, success } = settings;
  const rows = readRows<PairsRow>(path);
  const log = openRowLog<PairsRow>(path, () => true);
  const first = (round - 1) * test.maxPairs;
  for (;;) {
    const tried = rows.reduce((sum, { episodes }) => sum + episodes, 0);
    const found = decided(
      rows.flatMap(({ differences }) => differences),
      test,
    );
    await told(found.tally);
    if (found.verdict !== 'continue') return { ...found, verdict: found.verdict };
    if (tried >= test.maxPairs) return atLimit(found.tally);
    const episodes = Math.min(pairsAtOnce, test.maxPairs - tried);
    const run = (policy: ActingPolicy) =>
      actors.run({
        ...{ kind: 'evaluate', tasks: [settings.task], episodes, firstStart: first + tried, policy },
        seed: startSeed(settings, 'pairs'),
        what: `${policy.name} on held-back starts, pairs ${tried + 1} to ${tried + episodes},`,
      });
    const acting = await run(options.acting);
    const candidate = acting === undefined ? undefined : await run(options.candidate);
    if (acting === undefined || candidate === undefined) return undefined;
    const row = { firstStart: first + tried, episodes, differences: pairDifferences(acting, candidate, success) };
    log.append(row);
    rows.push(row);
  }
}

/** Of the pairs in their order as many as the test asks for. */
function decided(differences: readonly number[], test: AdaptationSettings['test']) {
  let tally = NO_PAIRS;
  for (const difference of differences) {
    tally = withPair(tally, difference);
    const verdict = sequentialVerdict(tally, test);
    if (verdict !== 'continue') return { tally, verdict };
  }
  return { tally, verdict: sequentialVerdict(tally, test) };
}

/** Episodes that simulators or people spoilt make no pairs, so that there may be fewer than the limit. */
function atLimit(tally: PairTally): PairedOutcome {
  const { gained, lost, tied } = tally;
  if (gained + lost + tied === 0) {
    throw new L2mError('L2M_SIMULATOR_FAULT', 'no pair of held-back episodes could be simulated');
  }
  return { tally, verdict: gained >= lost ? 'not-worse' : 'worse' };
}

/**
 * By how much the candidate was better at each start that both finished: success against failure, or the difference of returns where the task
 * knows no success.
 */
export function pairDifferences(
  acting: readonly ScoredEpisode[],
  candidate: readonly ScoredEpisode[],
  success: SuccessChoice,
): number[] {
  const scored = (episode: ScoredEpisode) => episode.outcome !== 'error' && !isAssisted(episode);
  const others = new Map(acting.filter(scored).map((episode) => [episode.start, episode]));
  const value = (episode: ScoredEpisode): number => {
    if (episode.outcome === 'scored') return episode.return;
    return Number(success === 'any-time' ? episode.firstSuccessStep !== null : episode.successAtEnd === true);
  };
  return candidate
    .filter(scored)
    .sort((a, b) => a.start - b.start)
    .flatMap((episode) => {
      const other = others.get(episode.start);
      return other === undefined ? [] : [value(episode) - value(other)];
    });
}
