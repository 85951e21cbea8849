import { episodeSuccess } from '../../agent/scoring/success.ts';
import type { Trajectories } from '../learning/trajectory-reader.ts';
import type { AdaptationSettings } from './adaptation-settings.ts';

/** What decides whether an episode is learned from. */
export interface EpisodeFigures {
  readonly start: number;
  readonly return: number;
  readonly anyTime: boolean;
  readonly atEnd: boolean;
}

export interface KeepRule extends Pick<AdaptationSettings, 'success' | 'targetReturn' | 'mostPerStart'> {
  /** Whether the task tells success from failure. */
  readonly reportsSuccess: boolean;
}

const BEST_SHARE = 0.25;

export function keepRule(settings: AdaptationSettings, reportsSuccess: boolean): KeepRule {
  const { success, targetReturn, mostPerStart } = settings;
  return { success, targetReturn, mostPerStart, reportsSuccess };
}

/** Figures of each episode of a file, in its order. */
export function episodeFigures(trajectories: Trajectories): EpisodeFigures[] {
  const { episodeOffsets, starts, rewards, successes } = trajectories;
  return Array.from(starts, (start, episode) => {
    const [first = 0, end = 0] = episodeOffsets.subarray(episode, episode + 2);
    const { anyTime, atEnd } = episodeSuccess(successes.subarray(first, end));
    return { start, return: rewards.subarray(first, end).reduce((sum, reward) => sum + reward, 0), anyTime, atEnd };
  });
}

export function succeeded({ anyTime, atEnd }: Pick<EpisodeFigures, 'anyTime' | 'atEnd'>, rule: KeepRule): boolean {
  return rule.reportsSuccess && (rule.success === 'any-time' ? anyTime : atEnd);
}

/**
 * Which episodes of a round are learned from: those that succeeded or reached the target return, of each start the ones with the highest
 * return. Without success and without a target these are the best quarter of the round: better than what the policy does on average.
 *
 * @returns their numbers, ascending
 */
export function keptEpisodes(figures: readonly EpisodeFigures[], rule: KeepRule): number[] {
  const target = rule.targetReturn ?? (rule.reportsSuccess ? Infinity : bestQuarterOf(figures));
  const good = figures.flatMap((each, episode) =>
    succeeded(each, rule) || each.return >= target ? [{ ...each, episode }] : [],
  );
  good.sort((a, b) => a.start - b.start || b.return - a.return || a.episode - b.episode);
  const ofStart = new Map<number, number>();
  const kept = good.filter(({ start }) => {
    const before = ofStart.get(start) ?? 0;
    ofStart.set(start, before + 1);
    return before < rule.mostPerStart;
  });
  return kept.map(({ episode }) => episode).sort((a, b) => a - b);
}

/** The newest of all rounds' kept episodes, at most so many. @param rounds oldest first */
export function newestKept(rounds: readonly (readonly number[])[], most: number): number[][] {
  let left = most;
  const taken = [...rounds].reverse().map((kept) => {
    const own = kept.slice(Math.max(0, kept.length - left));
    left -= own.length;
    return own;
  });
  return taken.reverse();
}

function bestQuarterOf(figures: readonly EpisodeFigures[]): number {
  const returns = figures.map((each) => each.return).sort((a, b) => b - a);
  return returns[Math.max(0, Math.ceil(BEST_SHARE * returns.length) - 1)] ?? Infinity;
}
