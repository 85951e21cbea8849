import { Type, type Static } from 'typebox';
import { Compile } from 'typebox/compile';
import type { PolicyConfig } from '../../agent/config.ts';
import { TaskIdSchema } from '../../protocol/task.ts';
import { L2mError } from '../errors.ts';

export const CHECKPOINT_FORMAT = 'l2m-checkpoint/1';

const closed = { additionalProperties: false } as const;
const Size = Type.Integer({ minimum: 1, maximum: 65_536 });
const Sha256 = Type.String({ pattern: '^[0-9a-f]{64}$' });
const Name = Type.String({ minLength: 1, maxLength: 128 });
const Scalar = Type.Union([Type.String(), Type.Number(), Type.Boolean(), Type.Null()]);

const ModelSchema = Type.Object(
  {
    width: Size,
    blocks: Size,
    heads: Size,
    context: Size,
    stateSize: Size,
    actionSize: Size,
    bins: Size,
    maximumTimestep: Size,
    pastActions: Type.Optional(Type.Literal('hidden')),
    observationWaves: Type.Optional(Type.Immutable(Type.Array(Type.Number({ exclusiveMinimum: 0 }), { maxItems: 8 }))),
  },
  closed,
);

const pool = {
  poolSize: Size,
  keyCount: Size,
  taskGroups: Type.Optional(Size),
  keyTable: Type.Optional(Type.Literal(true)),
  byLayout: Type.Optional(Type.Literal(true)),
  query: Type.Optional(
    Type.Union([Type.Literal('last-state'), Type.Literal('standardised'), Type.Literal('features')]),
  ),
  voteSteps: Type.Optional(Size),
  unknownBelow: Type.Optional(Type.Number({ exclusiveMinimum: -1, exclusiveMaximum: 1 })),
};
const lora = { rank: Size, scaling: Type.Number() };
const prompt = {
  form: Type.Union([Type.Literal('tokens'), Type.Literal('block-tokens'), Type.Literal('key-values')]),
  length: Size,
};

/** Mirrors `ModulationConfig` of agent/config.ts. */
const ModulationSchema = Type.Union([
  Type.Object({ kind: Type.Literal('none') }, closed),
  Type.Object({ kind: Type.Literal('lora'), ...pool, ...lora, ends: Type.Optional(Type.Literal(true)) }, closed),
  Type.Object({ kind: Type.Literal('ia3'), ...pool }, closed),
  Type.Object({ kind: Type.Literal('prompt-pool'), ...pool, ...prompt, selected: Size }, closed),
  Type.Object({ kind: Type.Literal('single-lora'), ...lora }, closed),
  Type.Object({ kind: Type.Literal('single-ia3') }, closed),
  Type.Object({ kind: Type.Literal('adapter'), units: Size }, closed),
  Type.Object({ kind: Type.Literal('single-prompt'), ...prompt }, closed),
]);

const StandardisationSchema = Type.Object(
  { mean: Type.Array(Type.Number()), deviation: Type.Array(Type.Number({ minimum: 0 })) },
  closed,
);

const Steps = Type.Union([Type.Integer({ minimum: 1 }), Type.Null()]);

const OptionsSchema = Type.Object(
  {
    standardise: Type.Optional(
      Type.Object(
        { metaworld: Type.Optional(StandardisationSchema), dmcontrol: Type.Optional(StandardisationSchema) },
        closed,
      ),
    ),
    binCentres: Type.Boolean(),
    restartAtHorizon: Type.Union([Steps, Type.Object({ metaworld: Steps, dmcontrol: Steps }, closed)]),
    startObservation: Type.Union([Type.Literal('observed'), Type.Literal('zero')]),
    /** Tasks in the order of the pool's groups of keys, where the true task is searched (spec §3.7). */
    taskOrder: Type.Optional(Type.Immutable(Type.Array(TaskIdSchema))),
    /** Layouts of observations by the place that keys name them by (`PoolSizes.byLayout`). */
    layoutOrder: Type.Optional(
      Type.Immutable(Type.Array(Type.String({ minLength: 3, maxLength: 1024 }), { maxItems: 2048 })),
    ),
    rewardScale: Type.Object(
      { metaworld: Type.Number({ exclusiveMinimum: 0 }), dmcontrol: Type.Number({ exclusiveMinimum: 0 }) },
      closed,
    ),
  },
  closed,
);

/** How the numbers of one weights file are kept. float16 halves a shipped file; weights are float32 again once read. */
export const WeightStorageSchema = Type.Union([Type.Literal('float32'), Type.Literal('float16')]);
export type WeightStorage = Static<typeof WeightStorageSchema>;

const WeightsFileSchema = Type.Object(
  { sha256: Sha256, bytes: Type.Integer({ minimum: 8 }), storage: WeightStorageSchema },
  closed,
);

/** One file of trajectories that the weights were learned from. */
export const DataSourceSchema = Type.Object(
  {
    task: TaskIdSchema,
    source: Name,
    contentHash: Sha256,
    episodes: Type.Integer({ minimum: 1 }),
    transitions: Type.Integer({ minimum: 1 }),
    /** What made its episodes belong together: protocol, seed, horizon, acting policy. */
    identity: Type.Record(Type.String(), Type.Union([Scalar, Type.Array(Scalar)])),
  },
  closed,
);
export type DataSource = Static<typeof DataSourceSchema>;

/** Everything a checkpoint says of itself beside its weights. */
export const CheckpointManifestSchema = Type.Object(
  {
    format: Type.Literal(CHECKPOINT_FORMAT),
    name: Name,
    /** ISO 8601, UTC. */
    createdAt: Name,
    model: ModelSchema,
    modulation: ModulationSchema,
    /** How actions become tokens (spec §2.3). */
    tokenizer: Type.Object(
      { kind: Type.Literal('minmax'), bins: Size, low: Type.Literal(-1), high: Type.Literal(1) },
      closed,
    ),
    /** Options beyond the paper are visible here; `preset: paper` leaves all of them off. */
    options: OptionsSchema,
    /** Unscaled return to ask for, by task, where learned from data; other tasks use the published table (spec §6.5). */
    targetReturns: Type.Record(Type.String(), Type.Number()),
    files: Type.Object({ model: WeightsFileSchema, pool: WeightsFileSchema }, closed),
    data: Type.Array(DataSourceSchema),
    /** Nearest ancestor first; empty for weights drawn at random. */
    lineage: Type.Array(Type.Object({ name: Name, modelHash: Sha256, poolHash: Sha256 }, closed)),
    /** Settings and final measurements of the training, by name; absent for weights that were never trained here. */
    training: Type.Optional(
      Type.Object(
        { settings: Type.Record(Type.String(), Type.Unknown()), metrics: Type.Record(Type.String(), Type.Number()) },
        closed,
      ),
    ),
    provenance: Type.Object(
      {
        /** What a person types to make it again. */
        command: Type.String(),
        /** Git commit of the program, or `unknown`. */
        commit: Type.String(),
        versions: Type.Record(Type.String(), Type.String()),
      },
      closed,
    ),
  },
  closed,
);
export type CheckpointManifest = Static<typeof CheckpointManifestSchema>;

const validator = Compile(CheckpointManifestSchema);

/** The part of a manifest that the policy is built from. */
export function policyConfigOf(manifest: CheckpointManifest): PolicyConfig {
  const { model, modulation, options } = manifest;
  return { model, modulation, options: options };
}

/**
 * Checks a value against the schema, and the parts against each other.
 * @param where named in the error: the file it came from
 * @throws L2mError L2M_CHECKPOINT_INVALID
 */
export function checkedManifest(value: unknown, where: string): CheckpointManifest {
  if (!validator.Check(value)) {
    const [first] = validator.Errors(value);
    throw invalidCheckpoint(
      where,
      `${first?.instancePath ?? ''} ${first?.message ?? 'does not fit the schema'}`.trim(),
    );
  }
  const { model, modulation, tokenizer, options } = value;
  if (model.width % model.heads !== 0) throw invalidCheckpoint(where, `width ${model.width} with ${model.heads} heads`);
  if (tokenizer.bins !== model.bins) {
    throw invalidCheckpoint(where, `a tokenizer of ${tokenizer.bins} bins for a model of ${model.bins}`);
  }
  if ('byLayout' in modulation && options.layoutOrder === undefined) {
    throw invalidCheckpoint(where, 'keys by layout without options.layoutOrder');
  }
  for (const [domain, table] of Object.entries(options.standardise ?? {})) {
    if (table.mean.length !== model.stateSize || table.deviation.length !== model.stateSize) {
      throw invalidCheckpoint(
        where,
        `the ${domain} table has ${table.mean.length} means for ${model.stateSize} dimensions`,
      );
    }
  }
  return value;
}

export function invalidCheckpoint(where: string, got: string, cause?: unknown): L2mError {
  return new L2mError('L2M_CHECKPOINT_INVALID', `${where}: ${got}`, cause === undefined ? {} : { cause });
}
