import type { RunState, RunSummary, TaskScore } from '../../protocol/dashboard-views.ts';
import type { TaskId } from '../../protocol/task.ts';
import type { PlannedTask, ScoredEpisode } from '../store/records.ts';
import { RunScores } from '../store/run-scores.ts';
import type { RunRequest } from './run-request.ts';

export interface LedgerOptions {
  readonly run: string;
  readonly request: RunRequest;
  readonly policy: string;
  /** Episodes scored before a resume. */
  readonly past: readonly ScoredEpisode[];
  readonly planned: readonly PlannedTask[];
  /** Steps of an episode of each task: of DMControl five times as many as of Meta-World, and its tasks may come last. */
  readonly horizons: ReadonlyMap<TaskId, number>;
}

/** The live figures of one run: what the progress line, the page and the HTTP API show. */
export class RunLedger {
  readonly #scores: RunScores;
  readonly #options: LedgerOptions;
  readonly #startedAt = new Date();
  readonly #stepsBefore: number;
  #state: RunState = 'starting';
  #message = '';
  #redone = 0;
  #endedMs: number | undefined;

  constructor(options: LedgerOptions) {
    const { planned, past, request } = options;
    this.#options = options;
    this.#scores = new RunScores(planned, past, request.protocol);
    this.#stepsBefore = this.#scores.totals().steps;
  }

  /** Episodes without a final outcome. */
  get owed(): number {
    return owedOf(this.#scores.totals());
  }

  get standing(): { readonly state: RunState; readonly kind: RunRequest['kind'] } {
    return { state: this.#state, kind: this.#options.request.kind };
  }

  add(episode: ScoredEpisode): void {
    this.#scores.add(episode);
  }

  redone(): void {
    this.#redone += 1;
  }

  state(state: RunState, message: string): void {
    this.#state = state;
    this.#message = message;
    const over = state === 'finished' || state === 'stopped' || state === 'failed';
    this.#endedMs = over ? Date.now() : undefined;
  }

  summary(): RunSummary {
    const { run, request, policy, horizons } = this.#options;
    const tasks = this.#scores.scores();
    const owedSteps = tasks.reduce((sum, score) => sum + owedOf(score) * (horizons.get(score.task) ?? 0), 0);
    const totals = this.#scores.totals();
    const seconds = ((this.#endedMs ?? Date.now()) - this.#startedAt.getTime()) / 1000;
    const stepsPerSecond = seconds > 0 ? (totals.steps - this.#stepsBefore) / seconds : 0;
    return {
      ...{ run, kind: request.kind, state: this.#state, policy, protocol: request.protocol, seed: request.seed },
      plannedEpisodes: totals.planned,
      finishedEpisodes: totals.finished,
      errorEpisodes: totals.errors,
      ...(totals.assisted > 0 ? { assistedEpisodes: totals.assisted } : {}),
      redoneEpisodes: this.#redone,
      steps: totals.steps,
      stepsPerSecond,
      secondsLeft: stepsPerSecond > 0 ? owedSteps / stepsPerSecond : null,
      startedAt: this.#startedAt.toISOString(),
      tasks,
      meanSuccessAnyTime: totals.meanSuccessAnyTime,
      meanSuccessAtEnd: totals.meanSuccessAtEnd,
      message: this.#message,
    };
  }
}

function owedOf(counts: Pick<TaskScore, 'planned' | 'finished' | 'errors' | 'assisted'>): number {
  return counts.planned - counts.finished - counts.errors - (counts.assisted ?? 0);
}
