import type { L2mError } from '../errors.ts';
import type { ActingPolicy } from './acting-policy.ts';
import type { EpisodeOutcome } from './episode-recorder.ts';
import type { EpisodePlan } from './plan.ts';
import { PlanQueue } from './plan-queue.ts';

/** How one attempt at an episode ended. `lost` attempts are owed again; all others are final. */
export type EpisodeEnd =
  | { readonly kind: 'finished'; readonly outcome: EpisodeOutcome }
  | { readonly kind: 'error'; readonly code: string; readonly message: string };

export interface EpisodeReport {
  readonly episode: number;
  readonly plan: EpisodePlan;
  readonly attempt: number;
  readonly worker: string;
  readonly environmentKey: string;
  readonly end: EpisodeEnd;
}

export interface ActiveRunOptions {
  readonly id: string;
  readonly policy: ActingPolicy;
  readonly plans: readonly EpisodePlan[];
  readonly keepTrajectories: boolean;
  /** Attempts at one episode before it counts as an error. */
  readonly maxAttempts: number;
  readonly onEpisode: (report: EpisodeReport) => void;
  readonly onRedone: (plan: EpisodePlan, reason: string) => void;
  /** Called once: with undefined when nothing is owed any more or the run was stopped, else with what ended it. */
  readonly onOver: (error: L2mError | undefined) => void;
}

type RunPhase = 'running' | 'paused' | 'draining' | 'over';

/** One run inside the rollout engine: what it owes, how many of its episodes are under way, and whether it may go on. */
export class ActiveRun {
  readonly id: string;
  readonly policy: ActingPolicy;
  readonly keepTrajectories: boolean;
  readonly queue: PlanQueue;
  readonly #options: ActiveRunOptions;
  #phase: RunPhase = 'running';
  #underWay = 0;
  #redone = 0;

  constructor(options: ActiveRunOptions) {
    this.id = options.id;
    this.policy = options.policy;
    this.keepTrajectories = options.keepTrajectories;
    this.queue = new PlanQueue(options.plans);
    this.#options = options;
  }

  get phase(): RunPhase {
    return this.#phase;
  }

  get underWay(): number {
    return this.#underWay;
  }

  get redone(): number {
    return this.#redone;
  }

  /** Whether new episodes may be started. */
  get hungry(): boolean {
    return this.#phase === 'running' && this.queue.left > 0;
  }

  pause(): void {
    if (this.#phase === 'running') this.#phase = 'paused';
  }

  resume(): void {
    if (this.#phase === 'paused') this.#phase = 'running';
  }

  /** Starts nothing new; what is under way is finished. */
  drain(): void {
    if (this.#phase === 'over') return;
    this.#phase = 'draining';
    this.#finishIfIdle();
  }

  started(): void {
    this.#underWay += 1;
  }

  /** An attempt was given up and begins anew at once: `started` follows. */
  restarted(): void {
    this.#underWay -= 1;
  }

  ended(report: EpisodeReport): void {
    this.#leave(report.plan);
    this.#options.onEpisode(report);
    this.#finishIfIdle();
  }

  /** An attempt was lost through no fault of the policy: owed again, or an error once `maxAttempts` are used up. */
  lost(report: Omit<EpisodeReport, 'end'>, code: string, message: string): void {
    if (report.attempt >= this.#options.maxAttempts) {
      const text = `${message} (attempt ${report.attempt} of ${this.#options.maxAttempts})`;
      this.ended({ ...report, end: { kind: 'error', code, message: text } });
      return;
    }
    this.#leave(report.plan);
    this.#redone += 1;
    if (this.#phase !== 'draining') this.queue.again(report);
    this.#options.onRedone(report.plan, message);
    this.#finishIfIdle();
  }

  /** Ends the run now; its episodes under way are no longer its own. */
  close(error: L2mError | undefined): void {
    if (this.#phase === 'over') return;
    this.#phase = 'over';
    this.queue.clear();
    this.#options.onOver(error);
  }

  #leave(plan: EpisodePlan): void {
    this.#underWay -= 1;
    this.queue.ended(plan);
  }

  #finishIfIdle(): void {
    const owesNothing = this.queue.left === 0 || this.#phase === 'draining';
    if (this.#underWay === 0 && owesNothing) this.close(undefined);
  }
}
