import { existsSync } from 'node:fs';
import { openCollection } from '../collecting/collection.ts';
import { trajectoryPath } from '../learning/trajectory-writer.ts';
import { watchedRun } from '../continual/snapshot-host.ts';
import { DEMONSTRATION_SOURCE } from './adaptation-folder.ts';
import { startSeed } from './adaptation-settings.ts';
import type { AdaptationSession } from './run-adaptation.ts';

const NOISES = [0, 0.1, 0.3];

/**
 * Episodes of the scripted expert, where they were asked for: a way in for tasks on which exploring alone finds no success.
 * @returns whether all are there; false where it was stopped
 */
export async function gatherDemonstrations({ server, folder, settings, hooks }: AdaptationSession): Promise<boolean> {
  const { task, demonstrations } = settings;
  const path = trajectoryPath(folder.demonstrations, task, DEMONSTRATION_SOURCE);
  if (demonstrations === 0 || (existsSync(path) && !existsSync(`${path}.part`))) return true;
  const collection = await openCollection(server, {
    ...{ tasks: [task], episodes: demonstrations, firstStart: 0, noises: NOISES, variant: 'scripted' },
    ...{ seed: startSeed(settings, 'rollouts'), horizon: settings.horizon, source: DEMONSTRATION_SOURCE },
    ...{ trajectories: folder.demonstrations, overwrite: false },
  });
  const { request, skip, take } = collection;
  const handle = await server.runs.start(request, { skip, take });
  const ended = await watchedRun(server, handle, {
    signal: hooks.signal,
    progress: (finished, planned) => hooks.progress(`demonstrations ${finished}/${planned}`),
  });
  if (ended === undefined) await collection.close();
  else await collection.finish();
  return ended !== undefined;
}
