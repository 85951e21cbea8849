import { normalizedScore } from '../../agent/scoring/normalized-score.ts';
import { successRate } from '../../agent/scoring/success.ts';
import type { Rate, TaskScore } from '../../protocol/dashboard-views.ts';
import { domainOf, type EvaluationProtocol, type TaskId } from '../../protocol/task.ts';
import { isAssisted, type PlannedTask, type ScoredEpisode } from './records.ts';

/** Totals over the tasks of a run; `steps` counts scored and failed attempts alike. */
export interface RunTotals {
  readonly planned: number;
  readonly finished: number;
  readonly errors: number;
  /** Start states in whose latest attempt a person had a part; in no score. */
  readonly assisted: number;
  readonly steps: number;
  /** Means over the tasks that report success; null while none has a scored episode. */
  readonly meanSuccessAnyTime: number | null;
  readonly meanSuccessAtEnd: number | null;
}

/**
 * Scores that grow with every episode. The latest attempt at a start state replaces earlier ones, so that the live
 * figures always equal those computed from the store.
 */
export class RunScores {
  readonly #tallies = new Map<TaskId, TaskTally>();

  readonly #protocol: EvaluationProtocol | null;

  /** @param protocol decides whether returns can be normalised; null for runs without one */
  constructor(
    tasks: readonly PlannedTask[],
    episodes: Iterable<ScoredEpisode> = [],
    protocol: EvaluationProtocol | null = null,
  ) {
    this.#protocol = protocol;
    for (const { task, episodes: planned } of tasks)
      this.#tallies.set(task, new TaskTally(task, planned, isComparable(task, protocol)));
    for (const episode of episodes) this.#tallyOf(episode.task).add(episode);
  }

  /** The task's score with this episode in it. */
  add(episode: ScoredEpisode): TaskScore {
    const tally = this.#tallyOf(episode.task);
    tally.add(episode);
    return tally.score();
  }

  /** In the order of the plan. */
  scores(): TaskScore[] {
    return [...this.#tallies.values()].map((tally) => tally.score());
  }

  totals(): RunTotals {
    const scores = this.scores();
    let steps = 0;
    for (const tally of this.#tallies.values()) steps += tally.steps;
    return {
      planned: sum(scores.map((score) => score.planned)),
      finished: sum(scores.map((score) => score.finished)),
      errors: sum(scores.map((score) => score.errors)),
      assisted: sum(scores.map((score) => score.assisted ?? 0)),
      steps,
      meanSuccessAnyTime: mean(scores.map((score) => score.successAnyTime.rate)),
      meanSuccessAtEnd: mean(scores.map((score) => score.successAtEnd.rate)),
    };
  }

  #tallyOf(task: TaskId): TaskTally {
    let tally = this.#tallies.get(task);
    if (tally === undefined)
      this.#tallies.set(task, (tally = new TaskTally(task, 0, isComparable(task, this.#protocol))));
    return tally;
  }
}

/** Scores of a run from its episodes: the latest attempt at each start state counts, errors apart. */
export function taskScores(
  episodes: Iterable<ScoredEpisode>,
  planned: readonly PlannedTask[],
  protocol: EvaluationProtocol | null = null,
): TaskScore[] {
  return new RunScores(planned, episodes, protocol).scores();
}

class TaskTally {
  steps = 0;
  readonly #task: TaskId;
  readonly #planned: number;
  /** Whether the table of returns is about episodes of the same length. */
  readonly #comparable: boolean;
  readonly #latest = new Map<number, ScoredEpisode>();
  /** First steps with success of the latest attempts, ascending. */
  readonly #firstSteps: number[] = [];
  #errors = 0;
  #assisted = 0;
  /** Latest attempts of tasks that report success. */
  #judged = 0;
  #successesAtEnd = 0;
  #returnSum = 0;

  constructor(task: TaskId, planned: number, comparable: boolean) {
    this.#task = task;
    this.#planned = planned;
    this.#comparable = comparable;
  }

  add(episode: ScoredEpisode): void {
    const earlier = this.#latest.get(episode.start);
    if (earlier !== undefined && earlier.attempt >= episode.attempt) return;
    if (earlier !== undefined) this.#count(earlier, -1);
    this.#latest.set(episode.start, episode);
    this.#count(episode, 1);
    this.steps += episode.length;
    // Taking a return off again leaves rounding behind, so that the sum is made anew; attempts are rarely replaced.
    if (earlier !== undefined) this.#returnSum = sum([...this.#latest.values()].map(scoredReturn));
  }

  score(): TaskScore {
    const finished = this.#latest.size - this.#errors - this.#assisted;
    const meanReturn = finished === 0 ? null : this.#returnSum / finished;
    return {
      task: this.#task,
      planned: this.#planned,
      finished,
      errors: this.#errors,
      ...(this.#assisted > 0 ? { assisted: this.#assisted } : {}),
      successAnyTime: rate(this.#firstSteps.length, this.#judged),
      successAtEnd: rate(this.#successesAtEnd, this.#judged),
      firstSuccessStep: medianOfSorted(this.#firstSteps),
      meanReturn,
      normalizedScore: meanReturn === null || !this.#comparable ? null : normalizedScore(this.#task, meanReturn),
    };
  }

  #count(episode: ScoredEpisode, sign: 1 | -1): void {
    if (episode.outcome === 'error') {
      this.#errors += sign;
      return;
    }
    if (isAssisted(episode)) {
      this.#assisted += sign;
      return;
    }
    this.#returnSum += sign * episode.return;
    if (episode.outcome === 'scored') return;
    this.#judged += sign;
    if (episode.successAtEnd === true) this.#successesAtEnd += sign;
    if (episode.firstSuccessStep === null) return;
    const place = lowerBound(this.#firstSteps, episode.firstSuccessStep);
    if (sign === 1) this.#firstSteps.splice(place, 0, episode.firstSuccessStep);
    else this.#firstSteps.splice(place, 1);
  }
}

/** The published returns of Meta-World are of 200 steps (spec §6.5); 500 steps earn more, whatever the policy. */
function isComparable(task: TaskId, protocol: EvaluationProtocol | null): boolean {
  return domainOf(task) === 'dmcontrol' || protocol !== 'official-v3';
}

function scoredReturn(episode: ScoredEpisode): number {
  return episode.outcome === 'error' || isAssisted(episode) ? 0 : episode.return;
}

/** @param episodes those that a task judged */
export function rate(successes: number, episodes: number): Rate {
  const scored = successRate(successes, episodes);
  if (scored === null) return { successes, episodes, rate: null, interval: null };
  return { successes, episodes, rate: scored.rate, interval: { low: scored.lower, high: scored.upper } };
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}

function mean(values: readonly (number | null)[]): number | null {
  const present = values.filter((value) => value !== null);
  return present.length === 0 ? null : sum(present) / present.length;
}

function medianOfSorted(values: readonly number[]): number | null {
  const upper = values[values.length >> 1];
  const lower = values[(values.length - 1) >> 1];
  return upper === undefined || lower === undefined ? null : (lower + upper) / 2;
}

/** Index of the first item not below `wanted`. */
function lowerBound(sorted: readonly number[], wanted: number): number {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((sorted[middle] ?? Infinity) < wanted) low = middle + 1;
    else high = middle;
  }
  return low;
}
