import { domainOf } from '../../protocol/task.ts';
import type { PlannedTask } from '../store/records.ts';
import { expertActor } from './expert-actor.ts';
import { planEpisodes, type EpisodePlan } from './plan.ts';
import type { RunRequest } from './run-request.ts';

/** Every episode of a request, in the order of its tasks and starts, and who acts in it. */
export function plansOf(request: RunRequest): EpisodePlan[] {
  const { policy } = request;
  return planEpisodes({
    ...{ tasks: request.tasks, episodesPerTask: request.episodes, seed: request.seed },
    ...{ protocol: request.protocol, firstStart: request.firstStart },
    ...(request.horizon === null ? {} : { horizon: request.horizon }),
    // The experts of DMControl are trained networks: the server asks them.
    actorOf: (start, task) =>
      policy.kind === 'expert' && domainOf(task) === 'metaworld'
        ? expertActor(policy, { start, seed: request.seed })
        : { kind: 'server' },
  });
}

/** How many episodes of each task are planned. */
export function plannedTasks(request: RunRequest, plans: readonly EpisodePlan[]): PlannedTask[] {
  return request.tasks.map((task) => ({ task, episodes: plans.filter((plan) => plan.task === task).length }));
}
