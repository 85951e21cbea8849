import { readFile, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { Type, type Static } from 'typebox';
import { Compile } from 'typebox/compile';
import { systemCodeOf } from '../checkpoints/tensor-file.ts';
import { encodeWeights, readWeights, sha256Of, type WeightArrays } from '../checkpoints/weights-file.ts';
import { writeFolder } from '../checkpoints/write-folder.ts';

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

const validator = Compile(TrainingCountersSchema);
const PREFIX = 'state-';

export interface SavedTraining {
  readonly counters: TrainingCounters;
  /** Weights and moments as `TrainingTensors.toArrays` gave them. */
  readonly arrays: WeightArrays;
}

/** Saves a state beside the previous one and removes older ones: at every moment there is a whole one. */
export async function saveTrainingState(
  folder: string,
  counters: Omit<TrainingCounters, 'tensorsHash'>,
  arrays: WeightArrays,
): Promise<void> {
  const tensors = encodeWeights(arrays, 'float32');
  const json = JSON.stringify({ ...counters, tensorsHash: sha256Of(tensors) });
  await writeFolder(join(folder, PREFIX + String(counters.update).padStart(9, '0')), {
    'tensors.safetensors': tensors,
    'counters.json': Buffer.from(json),
  });
  for (const old of (await savedStates(folder)).slice(2)) await rm(join(folder, old), { recursive: true, force: true });
}

/** The newest whole state, or undefined if there is none. A damaged one is passed over for its predecessor. */
export async function loadTrainingState(folder: string): Promise<SavedTraining | undefined> {
  for (const name of await savedStates(folder)) {
    const state = await readState(join(folder, name));
    if (state !== undefined) return state;
  }
  return undefined;
}

export async function removeTrainingStates(folder: string): Promise<void> {
  for (const name of await savedStates(folder)) await rm(join(folder, name), { recursive: true, force: true });
}

/** Newest first. */
async function savedStates(folder: string): Promise<string[]> {
  try {
    return (await readdir(folder))
      .filter((name) => name.startsWith(PREFIX))
      .sort()
      .reverse();
  } catch (cause) {
    if (systemCodeOf(cause) === 'ENOENT') return [];
    throw cause;
  }
}

async function readState(folder: string): Promise<SavedTraining | undefined> {
  try {
    const counters: unknown = JSON.parse(await readFile(join(folder, 'counters.json'), 'utf8'));
    const { weights, sha256 } = await readWeights(join(folder, 'tensors.safetensors'));
    if (!validator.Check(counters) || counters.tensorsHash !== sha256) return undefined;
    const arrays = new Map(
      [...weights].map(([name, { shape, data }]) => [name, { shape, data: data as Float32Array }]),
    );
    return { counters, arrays };
  } catch {
    return undefined;
  }
}
