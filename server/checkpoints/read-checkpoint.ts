import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { NamedArray } from '../../agent/weights/safetensors.ts';
import { checkedManifest, invalidCheckpoint, type CheckpointManifest } from './manifest.ts';
import { systemCodeOf } from './tensor-file.ts';
import { readWeights } from './weights-file.ts';

export interface Checkpoint {
  readonly folder: string;
  readonly manifest: CheckpointManifest;
  /** Model and pool together, float32, for `readParameters(arrays, policyConfigOf(manifest))`. */
  readonly arrays: ReadonlyMap<string, NamedArray>;
}

/**
 * Reads what a checkpoint says of itself, without its weights.
 * @throws L2mError L2M_CHECKPOINT_INVALID
 */
export async function readManifest(folder: string): Promise<CheckpointManifest> {
  const path = join(folder, 'manifest.json');
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (cause) {
    throw invalidCheckpoint(path, `cannot be read (${systemCodeOf(cause)})`, cause);
  }
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw invalidCheckpoint(path, 'is not JSON', cause);
  }
  return checkedManifest(value, path);
}

/**
 * Reads a checkpoint and checks its files against the hashes in its manifest. Names and shapes of the weights are checked by
 * `readParameters`, which knows the model.
 * @throws L2mError L2M_CHECKPOINT_INVALID with what was got
 */
export async function readCheckpoint(folder: string): Promise<Checkpoint> {
  const manifest = await readManifest(folder);
  const arrays = new Map<string, NamedArray>();
  for (const part of ['model', 'pool'] as const) {
    const path = join(folder, `${part}.safetensors`);
    const { weights, sha256 } = await readWeights(path);
    if (sha256 !== manifest.files[part].sha256) {
      throw invalidCheckpoint(path, `its SHA-256 is ${sha256}, the manifest says ${manifest.files[part].sha256}`);
    }
    for (const [name, array] of weights) arrays.set(name, array);
  }
  return { folder, manifest, arrays };
}
