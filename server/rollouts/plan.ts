import type { Actor } from '../../protocol/simulator-messages.ts';
import { horizonOf, type EvaluationProtocol, type TaskId } from '../../protocol/task.ts';

/** One episode that a run owes: which start state of which task, and who acts. */
export interface EpisodePlan {
  readonly task: TaskId;
  readonly start: number;
  readonly seed: number;
  readonly protocol: EvaluationProtocol;
  readonly horizon: number;
  readonly actor: Actor;
}

export interface PlanOptions {
  readonly tasks: readonly TaskId[];
  readonly episodesPerTask: number;
  readonly seed: number;
  readonly protocol: EvaluationProtocol;
  /** First start index; collecting uses others than evaluating, so that evaluated starts are unseen. */
  readonly firstStart: number;
  /** Steps of an episode; the protocol's own where left out. */
  readonly horizon?: number;
  readonly actorOf: (start: number, task: TaskId) => Actor;
}

/** Identifies a plan within its run; stored with the episode, so that a resumed run knows what it still owes. */
export function planKey(plan: Pick<EpisodePlan, 'task' | 'start'>): string {
  return `${plan.task}#${plan.start}`;
}

/** All episodes of a run. The same options give the same plans, whatever happened before. */
export function planEpisodes(options: PlanOptions): EpisodePlan[] {
  const { tasks, episodesPerTask, seed, protocol, firstStart, actorOf } = options;
  return tasks.flatMap((task) =>
    Array.from({ length: episodesPerTask }, (_, index) => {
      const start = firstStart + index;
      const horizon = options.horizon ?? horizonOf(task, protocol);
      return { task, start, seed, protocol, horizon, actor: actorOf(start, task) };
    }),
  );
}
