import { copyFile, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { ContinualEvent } from '../../../../server/continual/continual-events.ts';
import {
  SMALL_CONTINUAL,
  type ContinualSettings,
  type ContinualTrainerOptions,
} from '../../../../server/continual/continual-options.ts';
import { RunFolder } from '../../../../server/continual/run-folder.ts';
import { findTrajectoryFiles } from '../../../../server/learning/training-data.ts';
import { trainContinually } from '../../../../server/continual/train-continually.ts';
import { writeRandomCheckpoint } from '../../../support/random-checkpoint.ts';

/** Six episodes each of two tasks. */
export const SAMPLE = new URL('../../../golden/learning', import.meta.url).pathname;

export const SAMPLE_FILES = ['reach-v3', 'drawer-open-v3'].map((task) =>
  join(SAMPLE, 'metaworld', task, 'expert.safetensors'),
);

/** Metaworld with four action dimensions, DMControl with one, and the first task again. */
export const MIXED_SEQUENCE = ['metaworld/reach-v3', 'dmcontrol/cartpole-balance', 'metaworld/reach-v3'] as const;

/** The samples of both domains under one name of a data set, as a training reads them. */
export async function mixedSample(root: string): Promise<string> {
  const trajectories = join(root, 'mixed-trajectories');
  for (const [task, source] of [
    ['metaworld/reach-v3', 'expert'],
    ['dmcontrol/cartpole-balance', 'sac'],
  ] as const) {
    await mkdir(join(trajectories, task), { recursive: true });
    await copyFile(join(SAMPLE, task, `${source}.safetensors`), join(trajectories, task, 'expert.safetensors'));
  }
  return trajectories;
}

/** Two tasks of few updates; the first was "pre-trained" on for fitted keys that ask for such data. */
export function smallSettings(changes: Partial<ContinualSettings> = {}): ContinualSettings {
  return {
    ...SMALL_CONTINUAL,
    ...{ sequence: ['metaworld/drawer-open-v3', 'metaworld/reach-v3'], method: 'l2m-lora', learningRate: 1e-3 },
    ...{ stepsPerTask: 3, evaluateEvery: 3, batchSize: 8, queryWindows: 64, identityKeys: 4, keysPerTask: 3 },
    ...{ penaltyStrength: 400, replayEpisodes: 2, episodes: 1, others: [], identityTasks: ['metaworld/reach-v3'] },
    ...changes,
  };
}

/** A run folder that has been begun, with a checkpoint of random weights. */
export async function beginRun(
  root: string,
  name: string,
  settings: ContinualSettings,
): Promise<ContinualTrainerOptions> {
  const checkpoint = join(root, 'checkpoint');
  await writeRandomCheckpoint(checkpoint).catch((error: unknown) => {
    if ((error as { code?: string }).code !== 'L2M_STORE_UNWRITABLE') throw error;
  });
  const folder = new RunFolder(join(root, name));
  const mixed = settings.sequence.some((task) => task.startsWith('dmcontrol/'));
  const files = mixed ? await findTrajectoryFiles(await mixedSample(root), settings.sequence, 'expert') : SAMPLE_FILES;
  await folder.begin({ settings, command: 'test' }, { checkpoint, files });
  return {
    ...{ name, folder: folder.path, settings, resume: false, command: 'test', commit: 'unknown' },
    ...{ backend: { backend: 'auto', threadCount: 1, xla: false }, saveEveryMinutes: 60, reportEverySeconds: 0 },
  };
}

/** Trains in this process; asks to stop after so many updates. */
export async function train(options: ContinualTrainerOptions, stopAfter = Infinity) {
  const events: ContinualEvent[] = [];
  let updates = 0;
  const result = await trainContinually(options, {
    onEvent: (event) => {
      events.push(event);
      if (event.type === 'progress') updates++;
    },
    stopRequested: () => updates >= stopAfter,
  });
  return { events, result };
}
