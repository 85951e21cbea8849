import { createRequire } from 'node:module';
import { basename } from 'node:path';
import type { CheckpointManifest } from '../checkpoints/manifest.ts';
import type { Checkpoint } from '../checkpoints/read-checkpoint.ts';
import { writeCheckpoint } from '../checkpoints/write-checkpoint.ts';
import type { WeightArrays } from '../checkpoints/weights-file.ts';
import { currentBackend } from '../tensors/backend.ts';
import type { FrozenRecord } from './frozen-weights.ts';
import { policyOptionsOf, type PretrainOptions } from './pretrain-options.ts';
import type { TrainingData } from './training-data.ts';
import { trainingSettings } from './training-start.ts';

export interface PretrainedContent {
  readonly data: TrainingData;
  readonly parent: Checkpoint | undefined;
  readonly model: WeightArrays;
  readonly pool: WeightArrays;
  /** Proof that the weights which did not learn are what they were; undefined if all learned. */
  readonly frozen: FrozenRecord | undefined;
  /** Final or present measurements, by name. */
  readonly metrics: Readonly<Record<string, number>>;
}

/** Writes the checkpoint of a training, finished or on its way, over the previous one of the same training. */
export async function writePretrainedCheckpoint(options: PretrainOptions, content: PretrainedContent): Promise<void> {
  const { data, parent, frozen, metrics } = content;
  const { name, model, modulation, command, commit } = options;
  await writeCheckpoint(
    options.checkpointFolder,
    {
      manifest: {
        name,
        createdAt: new Date().toISOString(),
        model,
        modulation,
        options: policyOptionsOf(options, data.standardise) as CheckpointManifest['options'],
        targetReturns: data.targetReturns,
        data: [...data.sources],
        lineage: parent === undefined ? [] : [nearest(parent), ...parent.manifest.lineage],
        training: {
          settings: {
            ...trainingSettings(options),
            backend: currentBackend().kind,
            precision: currentBackend().precision,
            ...(frozen === undefined ? {} : { frozen }),
          },
          metrics,
        },
        provenance: { command, commit, versions: versions() },
      },
      model: content.model,
      pool: content.pool,
    },
    { storage: options.storage, overwrite: true },
  );
}

function nearest({ folder, manifest }: Checkpoint): { name: string; modelHash: string; poolHash: string } {
  const { model, pool } = manifest.files;
  return { name: manifest.name || basename(folder), modelHash: model.sha256, poolHash: pool.sha256 };
}

function versions(): Record<string, string> {
  const own = createRequire(import.meta.url)('../../package.json') as { version: string };
  return { l2m: own.version, node: process.versions.node, tensors: currentBackend().library };
}
