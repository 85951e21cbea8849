import type { TaskId } from '../../protocol/task.ts';
import { planKey, type EpisodePlan } from './plan.ts';

interface Attempt {
  readonly plan: EpisodePlan;
  /** 1 for the first try. */
  readonly attempt: number;
}

/**
 * The episodes a run still owes, handed out so that an environment stays with its task while it can (making another
 * simulator costs up to 300 ms) and free environments spread over the tasks with most left.
 */
export class PlanQueue {
  readonly #byTask = new Map<TaskId, Attempt[]>();
  readonly #active = new Map<TaskId, number>();
  #left = 0;

  constructor(plans: readonly EpisodePlan[]) {
    for (const plan of plans) this.#push({ plan, attempt: 1 });
  }

  get left(): number {
    return this.#left;
  }

  /** The next episode for an environment that last ran `previous` on a worker that can host `hosts`. */
  next(previous: TaskId | undefined, hosts: (task: TaskId) => boolean): Attempt | undefined {
    const task = this.#choose(previous, hosts);
    if (task === undefined) return undefined;
    const attempt = this.#byTask.get(task)?.shift();
    if (attempt === undefined) return undefined;
    this.#left -= 1;
    this.#active.set(task, (this.#active.get(task) ?? 0) + 1);
    return attempt;
  }

  /** An episode handed out before has ended, well or badly. */
  ended(plan: EpisodePlan): void {
    this.#active.set(plan.task, Math.max(0, (this.#active.get(plan.task) ?? 0) - 1));
  }

  /** Owes an episode again, as the next one of its task. */
  again(attempt: Attempt): void {
    this.#push({ plan: attempt.plan, attempt: attempt.attempt + 1 }, 'front');
  }

  clear(): void {
    this.#byTask.clear();
    this.#left = 0;
  }

  /** Keys of what has not been handed out, for logs. */
  keys(): string[] {
    return [...this.#byTask.values()].flatMap((attempts) => attempts.map(({ plan }) => planKey(plan)));
  }

  #choose(previous: TaskId | undefined, hosts: (task: TaskId) => boolean): TaskId | undefined {
    if (previous !== undefined && (this.#byTask.get(previous)?.length ?? 0) > 0 && hosts(previous)) return previous;
    let best: TaskId | undefined;
    let bestShare = 0;
    for (const [task, attempts] of this.#byTask) {
      const share = attempts.length / (1 + (this.#active.get(task) ?? 0));
      if (share > bestShare && hosts(task)) [best, bestShare] = [task, share];
    }
    return best;
  }

  #push(attempt: Attempt, end: 'front' | 'back' = 'back'): void {
    const attempts = this.#byTask.get(attempt.plan.task) ?? [];
    if (end === 'front') attempts.unshift(attempt);
    else attempts.push(attempt);
    this.#byTask.set(attempt.plan.task, attempts);
    this.#left += 1;
  }
}
