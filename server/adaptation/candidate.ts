import { createRequire } from 'node:module';
import type { PolicyConfig } from '../../agent/config.ts';
import type { CheckpointManifest } from '../checkpoints/manifest.ts';
import { readManifest, type Checkpoint } from '../checkpoints/read-checkpoint.ts';
import { writeCheckpoint } from '../checkpoints/write-checkpoint.ts';
import type { LearnerCheckpoint } from '../continual/continual-learner.ts';
import { currentBackend } from '../tensors/backend.ts';
import type { AdaptationFolder } from './adaptation-folder.ts';
import type { RoundData } from './round-data.ts';
import type { RoundTrainingOptions } from './train-round.ts';

interface CandidateParts {
  readonly folder: AdaptationFolder;
  readonly options: RoundTrainingOptions;
  readonly base: Checkpoint;
  readonly policy: PolicyConfig;
  readonly data: RoundData;
}

/** What the manifest of a candidate says of its round. */
export interface CandidateFacts {
  readonly updates: number;
  readonly loss: number;
  readonly learnedFrom: number;
  readonly frozenSha256: string;
  readonly poolSha256: string;
}

/** Writes what a round has learned as a checkpoint that every command reads. */
export async function writeCandidate(
  { folder, options, base, policy, data }: CandidateParts,
  learned: LearnerCheckpoint,
  { updates, loss }: Pick<CandidateFacts, 'updates' | 'loss'>,
): Promise<void> {
  const { settings, round } = options;
  const { manifest } = base;
  await writeCheckpoint(
    folder.checkpoint(round),
    {
      manifest: {
        name: `${folder.name}-${round}`.slice(-128),
        createdAt: new Date().toISOString(),
        model: policy.model,
        modulation: learned.modulation,
        options: policy.options as CheckpointManifest['options'],
        targetReturns: { ...manifest.targetReturns, [settings.task]: data.bestReturn },
        data: [...manifest.data, ...data.sources],
        lineage: [
          { name: manifest.name, modelHash: manifest.files.model.sha256, poolHash: manifest.files.pool.sha256 },
          ...manifest.lineage,
        ],
        training: {
          settings: { ...settings, backend: currentBackend().kind, frozen: learned.frozen },
          metrics: { round, updates, loss, learnedFrom: data.keptCount },
        },
        provenance: { command: options.command, commit: options.commit, versions: versions() },
      },
      model: learned.model,
      pool: learned.pool,
    },
    { storage: 'float32', overwrite: true },
  );
}

/** What a candidate says of itself; undefined where there is none. */
export async function candidateFacts(folder: AdaptationFolder, round: number): Promise<CandidateFacts | undefined> {
  const manifest = await readManifest(folder.checkpoint(round)).catch(() => undefined);
  if (manifest === undefined) return undefined;
  const { metrics, settings } = manifest.training ?? { metrics: {}, settings: {} };
  const figure = (name: string) => metrics[name] ?? Number.NaN;
  const frozen = settings['frozen'] as LearnerCheckpoint['frozen'] | undefined;
  return {
    ...{ updates: figure('updates'), loss: figure('loss'), learnedFrom: figure('learnedFrom') },
    ...{ frozenSha256: frozen?.sha256 ?? '', poolSha256: manifest.files.pool.sha256 },
  };
}

function versions(): Record<string, string> {
  const own = createRequire(import.meta.url)('../../package.json') as { version: string };
  return { l2m: own.version, node: process.versions.node, tensors: currentBackend().library };
}
