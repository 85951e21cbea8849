import { readFile, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { systemCodeOf } from '../checkpoints/tensor-file.ts';
import { encodeWeights, readWeights, sha256Of, type WeightArrays } from '../checkpoints/weights-file.ts';
import { writeFolder } from '../checkpoints/write-folder.ts';

const PREFIX = 'state-';
const KEPT = 2;

/** Where a training is: numbers and tensors that belong together, by the hash of the tensors among the numbers. */
export interface SavedState<Counters> {
  readonly counters: Counters;
  readonly arrays: WeightArrays;
}

/**
 * Saves a state beside the previous one and removes older ones: at every moment there is a whole one.
 * @param number sorts states by age as text, so that it needs leading zeros
 */
export async function saveState(folder: string, number: string, state: SavedState<object>): Promise<void> {
  const tensors = encodeWeights(state.arrays, 'float32');
  const json = JSON.stringify({ ...state.counters, tensorsHash: sha256Of(tensors) });
  await writeFolder(join(folder, PREFIX + number), {
    'tensors.safetensors': tensors,
    'counters.json': Buffer.from(json),
  });
  for (const old of (await savedStates(folder)).slice(KEPT)) await remove(folder, old);
}

/** The newest whole state, or undefined if there is none. A damaged one is passed over for its predecessor. */
export async function loadState<Counters extends { readonly tensorsHash: string }>(
  folder: string,
  areCounters: (value: unknown) => value is Counters,
): Promise<SavedState<Counters> | undefined> {
  for (const name of await savedStates(folder)) {
    const state = await readState(join(folder, name), areCounters);
    if (state !== undefined) return state;
  }
  return undefined;
}

export async function removeStates(folder: string): Promise<void> {
  for (const name of await savedStates(folder)) await remove(folder, name);
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

async function readState<Counters extends { readonly tensorsHash: string }>(
  folder: string,
  areCounters: (value: unknown) => value is Counters,
): Promise<SavedState<Counters> | undefined> {
  try {
    const counters: unknown = JSON.parse(await readFile(join(folder, 'counters.json'), 'utf8'));
    const { weights, sha256 } = await readWeights(join(folder, 'tensors.safetensors'));
    if (!areCounters(counters) || counters.tensorsHash !== sha256) return undefined;
    const arrays = new Map(
      [...weights].map(([name, { shape, data }]) => [name, { shape, data: data as Float32Array }]),
    );
    return { counters, arrays };
  } catch {
    return undefined;
  }
}

function remove(folder: string, name: string): Promise<void> {
  return rm(join(folder, name), { recursive: true, force: true });
}
