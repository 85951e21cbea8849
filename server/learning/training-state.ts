import { Type, type Static } from 'typebox';
import { Compile } from 'typebox/compile';
import type { WeightArrays } from '../checkpoints/weights-file.ts';
import { loadState, saveState, type SavedState } from './saved-state.ts';

const TrainingCountersSchema = Type.Object(
  {
    /** Updates made. Also the whole state of chance: batch n is a function of seed and n. */
    update: Type.Integer({ minimum: 0 }),
    elapsedMs: Type.Number({ minimum: 0 }),
    lastLoss: Type.Number(),
    /** Hash of settings and data: what goes on must be the same training. */
    fingerprint: Type.String(),
    tensorsHash: Type.String(),
  },
  { additionalProperties: false },
);
export type TrainingCounters = Static<typeof TrainingCountersSchema>;

/** `arrays`: weights and moments as `TrainingTensors.toArrays` gave them. */
export type SavedTraining = SavedState<TrainingCounters>;

const validator = Compile(TrainingCountersSchema);

export function saveTrainingState(
  folder: string,
  counters: Omit<TrainingCounters, 'tensorsHash'>,
  arrays: WeightArrays,
): Promise<void> {
  return saveState(folder, String(counters.update).padStart(9, '0'), { counters, arrays });
}

/** The newest whole state, or undefined if there is none. */
export function loadTrainingState(folder: string): Promise<SavedTraining | undefined> {
  return loadState(folder, (value): value is TrainingCounters => validator.Check(value));
}
