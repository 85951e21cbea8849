import { Type, type Static } from 'typebox';
import { Compile } from 'typebox/compile';
import { loadState, saveState } from '../learning/saved-state.ts';
import type { LearnerState } from './continual-learner.ts';

const Count = Type.Integer({ minimum: 0 });
const CountersSchema = Type.Object(
  {
    /** Updates made over the whole sequence. Also the whole state of chance: batch n is a function of seed and n. */
    update: Count,
    elapsedMs: Type.Number({ minimum: 0 }),
    begun: Type.Integer({ minimum: -1 }),
    usageBatches: Count,
    anchors: Count,
    fingerprint: Type.String(),
    tensorsHash: Type.String(),
  },
  { additionalProperties: false },
);
type Counters = Static<typeof CountersSchema>;
const validator = Compile(CountersSchema);

/** Where a continual training is. */
export interface ContinualState extends LearnerState {
  readonly update: number;
  readonly elapsedMs: number;
  /** Of settings and data. */
  readonly fingerprint: string;
}

export function saveContinualState(folder: string, state: ContinualState): Promise<void> {
  const { arrays, ...counters } = state;
  return saveState(folder, String(state.update).padStart(12, '0'), { counters, arrays });
}

/** The newest whole state; undefined if there is none. */
export async function loadContinualState(folder: string): Promise<ContinualState | undefined> {
  const saved = await loadState<Counters>(folder, (value): value is Counters => validator.Check(value));
  return saved === undefined ? undefined : { ...saved.counters, arrays: saved.arrays };
}
