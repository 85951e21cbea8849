import { readFile, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { Type, type Static } from 'typebox';
import { Compile } from 'typebox/compile';
import { systemCodeOf } from '../checkpoints/tensor-file.ts';
import { encodeWeights, readWeights, sha256Of, type WeightArrays } from '../checkpoints/weights-file.ts';
import { writeFolder } from '../checkpoints/write-folder.ts';
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
const PREFIX = 'state-';
const EPISODE_TENSORS = ['observations', 'actions', 'rewards'] as const;

export interface SavedLearner extends LearnerState {
  readonly fingerprint: string;
}

/**
 * Saves weights, moments, counters and the episodes under way beside the previous state, and keeps the newest two. Finished episodes
 * are not in it: the trajectory log has them.
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
  const tensors = encodeWeights(arrays, 'float32');
  const counters: LearnerCounters = {
    ...{ position, lanes: unfinished.length, fingerprint, tensorsHash: sha256Of(tensors) },
  };
  const number = [position.round, position.decisions].map((count) => String(count).padStart(6, '0')).join('-');
  await writeFolder(join(folder, PREFIX + number), {
    'tensors.safetensors': tensors,
    'counters.json': Buffer.from(JSON.stringify(counters)),
  });
  for (const old of (await savedStates(folder)).slice(2)) await rm(join(folder, old), { recursive: true, force: true });
}

/** The newest whole state, or undefined if there is none. A damaged one is passed over for its predecessor. */
export async function loadLearnerState(folder: string): Promise<SavedLearner | undefined> {
  for (const name of await savedStates(folder)) {
    const state = await readState(join(folder, name));
    if (state !== undefined) return state;
  }
  return undefined;
}

/** Newest first. */
async function savedStates(folder: string): Promise<string[]> {
  try {
    const names = await readdir(folder);
    return names
      .filter((name) => name.startsWith(PREFIX))
      .sort()
      .reverse();
  } catch (cause) {
    if (systemCodeOf(cause) === 'ENOENT') return [];
    throw cause;
  }
}

async function readState(folder: string): Promise<SavedLearner | undefined> {
  try {
    const counters: unknown = JSON.parse(await readFile(join(folder, 'counters.json'), 'utf8'));
    const { weights, sha256 } = await readWeights(join(folder, 'tensors.safetensors'));
    if (!validator.Check(counters) || counters.tensorsHash !== sha256) return undefined;
    const arrays: WeightArrays = new Map(
      [...weights].map(([name, { shape, data }]) => [name, { shape, data: data as Float32Array }] as const),
    );
    const unfinished = Array.from({ length: counters.lanes }, (_, lane) => {
      const entries = EPISODE_TENSORS.map((name) => [name, arrays.get(`lane ${lane} ${name}`)?.data] as const);
      return Object.fromEntries(entries) as unknown as ReplayEpisode;
    });
    return { position: counters.position, arrays, unfinished, fingerprint: counters.fingerprint };
  } catch {
    return undefined;
  }
}
