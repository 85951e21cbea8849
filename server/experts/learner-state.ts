import { Type, type Static } from 'typebox';
import { Compile } from 'typebox/compile';
import type { WeightArrays } from '../checkpoints/weights-file.ts';
import { loadState, saveState } from '../learning/saved-state.ts';
import type { LearnerState } from './learner.ts';
import type { ReplayEpisode } from './replay.ts';

const Count = Type.Integer({ minimum: 0 });
const LearnerCountersSchema = Type.Object(
  {
    position: Type.Object({ round: Count, decisions: Count, updates: Count }, { additionalProperties: false }),
    lanes: Count,
    /** Hash of the settings: what goes on must be the same training. */
    fingerprint: Type.String(),
    tensorsHash: Type.String(),
  },
  { additionalProperties: false },
);
type LearnerCounters = Static<typeof LearnerCountersSchema>;

const validator = Compile(LearnerCountersSchema);
const EPISODE_TENSORS = ['observations', 'actions', 'rewards'] as const;

export interface SavedLearner extends LearnerState {
  readonly fingerprint: string;
}

/**
 * Saves weights, moments, counters and the episodes under way. Finished episodes are not in it: the trajectory log has them.
 */
export async function saveLearnerState(folder: string, state: LearnerState, fingerprint: string): Promise<void> {
  const { position, unfinished } = state;
  const arrays: WeightArrays = new Map([
    ...state.arrays,
    ...unfinished.flatMap((episode, lane) =>
      EPISODE_TENSORS.map(
        (name) => [`lane ${lane} ${name}`, { shape: [episode[name].length], data: episode[name] }] as const,
      ),
    ),
  ]);
  const number = [position.round, position.decisions].map((count) => String(count).padStart(6, '0')).join('-');
  const counters: Omit<LearnerCounters, 'tensorsHash'> = { position, lanes: unfinished.length, fingerprint };
  await saveState(folder, number, { counters, arrays });
}

/** The newest whole state, or undefined if there is none. */
export async function loadLearnerState(folder: string): Promise<SavedLearner | undefined> {
  const state = await loadState(folder, (value): value is LearnerCounters => validator.Check(value));
  if (state === undefined) return undefined;
  const { counters, arrays } = state;
  const unfinished = Array.from({ length: counters.lanes }, (_, lane) => {
    const entries = EPISODE_TENSORS.map((name) => [name, arrays.get(`lane ${lane} ${name}`)?.data] as const);
    return Object.fromEntries(entries) as unknown as ReplayEpisode;
  });
  return { position: counters.position, arrays, unfinished, fingerprint: counters.fingerprint };
}
