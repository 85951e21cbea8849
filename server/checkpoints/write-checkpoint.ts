import { join } from 'node:path';
import { L2mError } from '../errors.ts';
import { CHECKPOINT_FORMAT, checkedManifest, type CheckpointManifest, type WeightStorage } from './manifest.ts';
import { encodeWeights, sha256Of, type WeightArrays } from './weights-file.ts';
import { writeFolder } from './write-folder.ts';
import { existsSync } from 'node:fs';

export interface CheckpointContent {
  /** All but what follows from the weights themselves. */
  readonly manifest: Omit<CheckpointManifest, 'format' | 'files' | 'tokenizer'>;
  /** Names and shapes of `modelShapes` (spec §7.3). */
  readonly model: WeightArrays;
  /** Names and shapes of `poolShapes` (spec §3.2); empty for a model without modulation. */
  readonly pool: WeightArrays;
}

export interface WriteCheckpointOptions {
  readonly storage?: WeightStorage;
  /** Replace a checkpoint that is there already; otherwise that is an error. */
  readonly overwrite?: boolean;
}

/**
 * Writes a checkpoint folder: manifest.json, model.safetensors, pool.safetensors; it appears whole or not at all.
 * @throws L2mError L2M_CHECKPOINT_INVALID for content that no reader would accept, L2M_STORE_UNWRITABLE
 */
export async function writeCheckpoint(
  folder: string,
  content: CheckpointContent,
  { storage = 'float32', overwrite = false }: WriteCheckpointOptions = {},
): Promise<CheckpointManifest> {
  if (!overwrite && existsSync(folder)) {
    throw new L2mError('L2M_STORE_UNWRITABLE', `${folder} exists already`, {
      hint: 'Choose another name, or say that it may be overwritten.',
    });
  }
  const model = encodeWeights(content.model, storage);
  const pool = encodeWeights(content.pool, storage);
  const described = (bytes: Uint8Array) => ({ sha256: sha256Of(bytes), bytes: bytes.byteLength, storage });
  const manifest = checkedManifest(
    {
      format: CHECKPOINT_FORMAT,
      ...content.manifest,
      tokenizer: { kind: 'minmax', bins: content.manifest.model.bins, low: -1, high: 1 },
      files: { model: described(model), pool: described(pool) },
    },
    join(folder, 'manifest.json'),
  );
  await writeFolder(folder, {
    'model.safetensors': model,
    'pool.safetensors': pool,
    'manifest.json': Buffer.from(`${JSON.stringify(manifest, null, 2)}\n`),
  });
  return manifest;
}
