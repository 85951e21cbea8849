import { createRequire } from 'node:module';
import type { CheckpointManifest } from '../checkpoints/manifest.ts';
import { writeCheckpoint } from '../checkpoints/write-checkpoint.ts';
import { currentBackend } from '../tensors/backend.ts';
import type { LearnerCheckpoint } from './continual-learner.ts';
import type { ContinualTrainerOptions } from './continual-options.ts';
import type { RunFolder } from './run-folder.ts';
import type { TrainingMaterial } from './training-material.ts';

/** Where a snapshot stands in its training. */
export interface SnapshotFacts {
  readonly update: number;
  readonly elapsedSeconds: number;
}

/**
 * Writes the policy after some updates as a checkpoint. Before the first update it is the bare model: what a method draws at random before it
 * has learned anything says nothing of it.
 */
export async function writeSnapshot(
  { folder, options, material }: { folder: RunFolder; options: ContinualTrainerOptions; material: TrainingMaterial },
  learned: LearnerCheckpoint,
  { update, elapsedSeconds }: SnapshotFacts,
): Promise<void> {
  const { base, policy, data } = material;
  const { taskOrder: _tasks, layoutOrder: _layouts, ...bare } = policy.options;
  const began = update === 0;
  const { model: modelFile, pool: poolFile } = base.manifest.files;
  await writeCheckpoint(
    folder.snapshot(update),
    {
      manifest: {
        name: `${folder.name}-${update}`,
        createdAt: new Date().toISOString(),
        model: policy.model,
        modulation: began ? { kind: 'none' } : learned.modulation,
        options: (began ? bare : policy.options) as CheckpointManifest['options'],
        targetReturns: { ...base.manifest.targetReturns, ...data.targetReturns },
        data: [...base.manifest.data, ...data.sources],
        lineage: [
          { name: base.manifest.name, modelHash: modelFile.sha256, poolHash: poolFile.sha256 },
          ...base.manifest.lineage,
        ],
        training: {
          settings: { ...options.settings, backend: currentBackend().kind, frozen: learned.frozen },
          metrics: { update, elapsedSeconds },
        },
        provenance: { command: options.command, commit: options.commit, versions: versions() },
      },
      model: learned.model,
      pool: began ? new Map() : learned.pool,
    },
    { storage: 'float32', overwrite: true },
  );
}

function versions(): Record<string, string> {
  const own = createRequire(import.meta.url)('../../package.json') as { version: string };
  return { l2m: own.version, node: process.versions.node, tensors: currentBackend().library };
}
