import { fileURLToPath } from 'node:url';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ModelConfig } from '../../agent/config.ts';
import { modelShapes } from '../../agent/weights/names.ts';
import { initialArrays } from '../../agent/weights/initialise.ts';
import { policyOptionsOf, SMALL_PRETRAINING } from '../../server/learning/pretrain-options.ts';
import type { PretrainOptions, PretrainSettings } from '../../server/learning/pretrain-options.ts';
import { findTrajectoryFiles, loadTrainingData } from '../../server/learning/training-data.ts';
import { trainingLoop, type LoopPosition } from '../../server/learning/training-loop.ts';
import { saveTrainingState } from '../../server/learning/training-state.ts';
import { TrainingTensors } from '../../server/learning/training-tensors.ts';
import { compileUpdate } from '../../server/learning/update-graph.ts';
import { randomFor, windowSampler } from '../../server/learning/window-sampler.ts';
import { UPDATE_WINDOWS } from './update-call.ts';

/** Updates of one call, so that what the loop does around them is spread as in a training. */
export const UPDATES_A_CALL = 4;
const SAMPLE = fileURLToPath(new URL('../golden/learning', import.meta.url));
const TASKS = ['metaworld/reach-v3', 'metaworld/drawer-open-v3', 'dmcontrol/cartpole-balance'];

export interface PretrainCalls {
  /** Some updates of a pre-training as `l2m pretrain` makes them, from real trajectories; nothing is saved. */
  readonly updates: () => Promise<LoopPosition>;
  /** Saves weights and moments once. */
  readonly save: () => Promise<void>;
}

/** Everything between reading the data and writing the checkpoint: windows are drawn, scaled and tokenised, handed over, learned from. */
export async function pretrainCalls(model: ModelConfig): Promise<PretrainCalls> {
  const files = await findTrajectoryFiles(SAMPLE, TASKS);
  const settings = { ...SMALL_PRETRAINING, model, batchSize: UPDATE_WINDOWS, heldOutShare: 0, files };
  const data = await loadTrainingData(settings);
  const policy = { model, options: policyOptionsOf(settings, data.standardise) };
  const tensors = TrainingTensors.fromWeights(
    modelShapes(model),
    initialArrays({ model, modulation: { kind: 'none' } }, randomFor(settings.seed, 'weights', 0)),
  );
  const parts = {
    ...{ tensors, graph: compileUpdate(settings), heldOut: undefined },
    sampler: windowSampler(data.tasks, { ...settings, split: 'training', policy }),
  };
  let position: LoopPosition = { update: 0, elapsedMs: 0, lastLoss: 0 };
  return {
    updates: async () => {
      const budget = { kind: 'updates', updates: position.update + UPDATES_A_CALL } as const;
      position = await trainingLoop({ ...settings, ...NOWHERE, budget }, parts, {
        from: position,
        hooks: {
          ...{ report: () => undefined, stopRequested: () => false },
          ...{ save: () => Promise.resolve(), snapshot: () => Promise.resolve() },
        },
      });
      return position;
    },
    save: async () => {
      const folder = mkdtempSync(join(tmpdir(), 'l2m-bench-'));
      await saveTrainingState(folder, { ...position, fingerprint: '' }, await tensors.toArrays());
      rmSync(folder, { recursive: true });
    },
  };
}

type Places = Omit<PretrainOptions, keyof PretrainSettings>;

/** What the loop is not asked for. */
const NOWHERE: Places = {
  ...{ name: 'bench', trainingFolder: '', checkpointFolder: '', resume: false, overwrite: false },
  ...{ storage: 'float16', backend: {}, saveEveryMinutes: 5, reportEverySeconds: 5, command: '', commit: '' },
};
