import type { Rate, TaskScore } from '../protocol/dashboard-views.ts';
import { wilsonInterval } from './wilson.ts';

/** The share over the episodes of all tasks that report success. */
export function pooledRate(tasks: readonly TaskScore[], which: 'successAnyTime' | 'successAtEnd'): Rate {
  let successes = 0;
  let episodes = 0;
  for (const task of tasks) {
    successes += task[which].successes;
    episodes += task[which].episodes;
  }
  if (episodes === 0) return { successes, episodes, rate: null, interval: null };
  return { successes, episodes, rate: successes / episodes, interval: wilsonInterval(successes, episodes) };
}
