import { holm } from '../../agent/scoring/holm.ts';
import { pairedDifferences } from '../../agent/scoring/paired-differences.ts';
import { pairedSuccess } from '../../agent/scoring/paired-success.ts';
import type { ComparedScore, Comparison, PairedReturns, PairedSuccess } from '../../protocol/comparison.ts';
import type { TaskId } from '../../protocol/task.ts';
import { isAssisted, type ScoredEpisode, type StoredRun } from './records.ts';
import { rate } from './run-scores.ts';

export interface ComparedRun {
  readonly head: Pick<StoredRun, 'run' | 'policy' | 'protocol' | 'seed' | 'configuration'>;
  /** The latest attempt at every start state. */
  readonly episodes: readonly ScoredEpisode[];
}

type Which = 'anyTime' | 'atEnd';

/**
 * Compares runs by pairs of episodes that began in the same state: same task, protocol, seed, horizon and start. An episode
 * that ended in an error on either side makes no pair.
 * @param runs the first is the baseline
 */
export function compareRuns(runs: readonly [ComparedRun, ...ComparedRun[]]): Comparison {
  const [baseline] = runs;
  const unpaired = runs.map((run) => (run === baseline ? '' : whyUnpaired(baseline.head, run.head)));
  const byTask = runs.map(({ episodes }) => episodesByTask(episodes));
  const tasks = [...new Set(byTask.flatMap((each) => [...each.keys()]))].sort();
  const column = (index: number, among: readonly TaskId[]): ComparedScore[] => {
    const partner = index > 0 && unpaired[index] === '' ? byTask[0] : undefined;
    const scores = among.map((task) => scoreOf(byTask[index]?.get(task) ?? [], partner?.get(task) ?? []));
    return adjusted(scores);
  };
  const columns = runs.map((_, index) => column(index, tasks));
  return {
    runs: runs.map(({ head: { run, policy, protocol, seed } }, index) => ({
      ...{ run, policy, protocol, seed },
      unpaired: unpaired[index] ?? '',
    })),
    overall: runs.map((run, index) => overallOf(run, index > 0 && unpaired[index] === '' ? baseline : undefined)),
    tasks: tasks.map((task, row) => ({ task, scores: columns.flatMap((each) => each[row] ?? []) })),
  };
}

function episodesByTask(episodes: readonly ScoredEpisode[]): Map<TaskId, ScoredEpisode[]> {
  const groups = new Map<TaskId, ScoredEpisode[]>();
  for (const episode of episodes) {
    const group = groups.get(episode.task);
    if (group === undefined) groups.set(episode.task, [episode]);
    else group.push(episode);
  }
  return groups;
}

function whyUnpaired(baseline: ComparedRun['head'], head: ComparedRun['head']): string {
  if (head.protocol !== baseline.protocol)
    return `protocol ${head.protocol ?? 'none'}, not ${baseline.protocol ?? 'none'}`;
  if (head.seed !== baseline.seed) return `seed ${head.seed}, not ${baseline.seed}`;
  const [own, other] = [head, baseline].map(({ configuration }) => JSON.stringify(configuration['horizon'] ?? null));
  return own === other ? '' : `episodes of ${own} steps, not ${other}`;
}

function scoreOf(episodes: readonly ScoredEpisode[], partners: readonly ScoredEpisode[]): ComparedScore {
  const scored = episodes.filter(isScored);
  const judged = scored.filter(({ outcome }) => outcome !== 'scored');
  const pairs = pairsOf(scored, partners);
  const differences = pairedDifferences(pairs.map(([own, other]) => own.return - other.return));
  const successes = (which: Which) => judged.filter((episode) => succeeded(episode, which)).length;
  return {
    episodes: scored.length,
    successAnyTime: rate(successes('anyTime'), judged.length),
    successAtEnd: rate(successes('atEnd'), judged.length),
    meanReturn: scored.length === 0 ? null : scored.reduce((sum, episode) => sum + episode.return, 0) / scored.length,
    pairedAnyTime: pairedOf(pairs, 'anyTime'),
    pairedAtEnd: pairedOf(pairs, 'atEnd'),
    pairedReturns: differences === null ? null : { ...differences, adjustedPValue: differences.pValue },
  };
}

function isScored(episode: ScoredEpisode): boolean {
  return episode.outcome !== 'error' && !isAssisted(episode);
}

/** Returns of different tasks have nothing in common. */
function overallOf(run: ComparedRun, baseline: ComparedRun | undefined): ComparedScore {
  const score = scoreOf(run.episodes, baseline?.episodes ?? []);
  const single = new Set(run.episodes.map(({ task }) => task)).size === 1;
  return single ? score : { ...score, meanReturn: null, pairedReturns: null };
}

function pairsOf(
  scored: readonly ScoredEpisode[],
  partners: readonly ScoredEpisode[],
): (readonly [ScoredEpisode, ScoredEpisode])[] {
  const key = ({ task, start }: ScoredEpisode) => `${task}#${start}`;
  const others = new Map(partners.filter(isScored).map((each) => [key(each), each]));
  return scored.flatMap((own) => {
    const other = others.get(key(own));
    return other === undefined ? [] : [[own, other] as const];
  });
}

function succeeded(episode: ScoredEpisode, which: Which): boolean {
  return which === 'anyTime' ? episode.firstSuccessStep !== null : episode.successAtEnd === true;
}

function pairedOf(pairs: readonly (readonly [ScoredEpisode, ScoredEpisode])[], which: Which): PairedSuccess | null {
  const counts = { both: 0, gained: 0, lost: 0, neither: 0 };
  for (const [own, other] of pairs) {
    if (own.outcome === 'scored' || other.outcome === 'scored') continue;
    const [mine, theirs] = [succeeded(own, which), succeeded(other, which)];
    counts[mine ? (theirs ? 'both' : 'gained') : theirs ? 'lost' : 'neither']++;
  }
  const paired = pairedSuccess(counts);
  if (paired === null) return null;
  const { lower, upper, difference, pValue } = paired;
  return { ...counts, difference, interval: { low: lower, high: upper }, pValue, adjustedPValue: pValue };
}

/** Whoever looks at fifty tasks finds two or three with p below 0.05 by chance. */
function adjusted(scores: readonly ComparedScore[]): ComparedScore[] {
  const anyTime = withHolm(scores.map((score) => score.pairedAnyTime));
  const atEnd = withHolm(scores.map((score) => score.pairedAtEnd));
  const returns = withHolm(scores.map((score) => score.pairedReturns));
  return scores.map((score, index) => ({
    ...score,
    pairedAnyTime: anyTime[index] ?? null,
    pairedAtEnd: atEnd[index] ?? null,
    pairedReturns: returns[index] ?? null,
  }));
}

function withHolm<Tested extends PairedSuccess | PairedReturns>(tested: readonly (Tested | null)[]): (Tested | null)[] {
  const adjustedValues = holm(tested.flatMap((each) => (each === null ? [] : [each.pValue])));
  let next = 0;
  return tested.map((each) => (each === null ? null : { ...each, adjustedPValue: adjustedValues[next++] ?? 1 }));
}
