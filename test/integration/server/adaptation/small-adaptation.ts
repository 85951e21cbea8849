import { join } from 'node:path';
import { SMALL_ADAPTATION, type AdaptationSettings } from '../../../../server/adaptation/adaptation-settings.ts';
import type { AdaptationOptions } from '../../../../server/adaptation/adaptation-events.ts';

/** Two rounds of a task whose episodes are short and cheap; its returns tell good from bad, success does not. */
export const SMALL: AdaptationSettings = {
  ...SMALL_ADAPTATION,
  ...{ task: 'dmcontrol/cartpole-balance', seed: 5, success: 'any-time', targetReturn: null, afterSuccessWeight: 1 },
  ...{ identityTasks: ['dmcontrol/pendulum-swingup'], others: ['dmcontrol/pendulum-swingup'] },
  ...{
    episodes: 4,
    noises: [0, 0.3],
    temperatures: [1],
    updates: 4,
    batchSize: 8,
    identityKeys: 4,
    keysPerTask: 3,
    queryWindows: 32,
  },
  ...{ identityEpisodes: 1, pairsAtOnce: 3, test: { ...SMALL_ADAPTATION.test, maxPairs: 6 } },
  ...{ reportEpisodes: 2, otherEpisodes: 1, horizon: 20 },
};

export function smallAdaptation(
  root: string,
  name: string,
  changes: Partial<AdaptationOptions> = {},
): AdaptationOptions {
  return {
    ...{ folder: join(root, name), settings: SMALL, rounds: 2, checkpoint: join(root, 'checkpoint') },
    ...{ resume: false, overwrite: false, command: 'test', commit: 'unknown' },
    backend: { backend: 'auto', threadCount: 1, xla: false },
    ...changes,
  };
}
