import { Type, type Static } from 'typebox';
import { WIRE_LIMITS } from './limits.ts';
import { EvaluationProtocolSchema, TaskIdSchema, TaskSpecSchema } from './task.ts';
import { TensorSchema } from './tensor.ts';

const closed = { additionalProperties: false } as const;
const Name = Type.String({ minLength: 1, maxLength: WIRE_LIMITS.nameLength });
const Text = Type.String({ maxLength: WIRE_LIMITS.textLength });
const EnvironmentIndex = Type.Integer({ minimum: 0, maximum: WIRE_LIMITS.environmentsPerWorker - 1 });
/** Unique within one life of the server. A late message about an older episode is counted and dropped. */
const EpisodeId = Type.Integer({ minimum: 1, maximum: 0xffffffff });
const Version = Type.Object({ major: Type.Integer({ minimum: 0 }), minor: Type.Integer({ minimum: 0 }) }, closed);

// ---------------------------------------------------------------- worker to server

/** First message of a worker, and again whenever the server was silent for `livenessMs` (it may have been restarted). */
export const HelloSchema = Type.Object(
  {
    type: Type.Literal('hello'),
    protocol: Version,
    workerId: Name,
    processId: Type.Integer({ minimum: 0 }),
    engine: Type.Union([Type.Literal('python'), Type.Literal('envpool')]),
    /** Versions of python, mujoco, metaworld, dm_control, numpy. */
    versions: Type.Record(Type.String({ pattern: '^[A-Za-z0-9_.-]{1,128}$' }), Name, { ...closed, maxProperties: 64 }),
    environments: Type.Integer({ minimum: 1, maximum: WIRE_LIMITS.environmentsPerWorker }),
    /** Ids of all tasks the worker can host. Their specifications are asked for one by one with `describe`. */
    tasks: Type.Array(TaskIdSchema, { maxItems: 512 }),
  },
  closed,
);

/** Answer to `describe`. */
export const DescribedSchema = Type.Object({ type: Type.Literal('described'), spec: TaskSpecSchema }, closed);

/**
 * One tick: what every environment that was stepped or started shows now. n = environments in this tick.
 * Observation rows are as wide as the widest task in the tick; shorter ones are padded with zeros on the right.
 */
export const ObservedSchema = Type.Object(
  {
    type: Type.Literal('observed'),
    tick: Type.Integer({ minimum: 0 }),
    environments: TensorSchema, // uint16 [n]
    episodes: TensorSchema, // uint32 [n]
    steps: TensorSchema, // uint32 [n] steps taken since the start; 0 is the start itself
    observations: TensorSchema, // float32 [n, W]
    rewards: TensorSchema, // float64 [n]; 0 at the start
    flags: TensorSchema, // uint8 [n], bits of STEP_FLAGS
    /** float32 [n, A]: the action executed in this step after clipping; zeros at the start. */
    executed: TensorSchema,
    /** float32 [n, A]: the clean action of the scripted expert for the state before this step; only with expert actors. */
    targets: Type.Optional(TensorSchema),
    /** float32 [m, 7]: position and quaternion (w, x, y, z) of all bodies but the world, of the rows with `poses` set, in order. */
    poses: Type.Optional(TensorSchema),
    /** uint16 [rows with `poses` set]: how many rows of `poses` belong to each. */
    poseCounts: Type.Optional(TensorSchema),
    /** float32 [k, 11]: position, normal, force, distance, how it is drawn; `contact_rows.py` says more. Only if `watch` asks. */
    contacts: Type.Optional(TensorSchema),
    /** uint16 [rows with `poses` set]: how many rows of `contacts` belong to each. */
    contactCounts: Type.Optional(TensorSchema),
    simulateMs: Type.Number({ minimum: 0 }),
    /** Milliseconds of that spent waiting for the server since the last tick. */
    waitMs: Type.Number({ minimum: 0 }),
  },
  closed,
);

/** An episode could not be started or went wrong; its environment is free again. */
export const FaultSchema = Type.Object(
  {
    type: Type.Literal('fault'),
    environment: Type.Optional(EnvironmentIndex),
    episode: Type.Optional(EpisodeId),
    code: Name,
    message: Text,
  },
  closed,
);

/**
 * Geometry of a task, sent once on `want-scene`. `manifest` is JSON text in a uint8 tensor, `assets` one packed blob.
 * Where a start is drawn with geometry of its own (terrain), also unasked, after the first row of an episode with poses.
 */
export const SceneSchema = Type.Object(
  {
    type: Type.Literal('scene'),
    task: TaskIdSchema,
    /** The one episode that this is the geometry of; left out for that of the task. */
    episode: Type.Optional(EpisodeId),
    hash: Name,
    manifest: TensorSchema, // uint8 [bytes]
    assets: TensorSchema, // uint8 [bytes]
  },
  closed,
);

/** Sent from the worker's own loop at least every `heartbeatMs`, so that a worker hung in a step goes silent. */
export const HeartbeatSchema = Type.Object(
  { type: Type.Literal('heartbeat'), tick: Type.Integer({ minimum: 0 }) },
  closed,
);

export const WorkerByeSchema = Type.Object({ type: Type.Literal('bye'), reason: Text }, closed);

// ---------------------------------------------------------------- server to worker

export const WelcomeSchema = Type.Object(
  {
    type: Type.Literal('welcome'),
    protocol: Version,
    serverId: Name,
    heartbeatMs: Type.Integer({ minimum: 10 }),
    /** Silence of the server after which the worker says hello anew. */
    livenessMs: Type.Integer({ minimum: 100 }),
  },
  closed,
);

export const RefusedSchema = Type.Object(
  { type: Type.Literal('refused'), code: Name, message: Text, hint: Text },
  closed,
);

export const DescribeSchema = Type.Object({ type: Type.Literal('describe'), task: TaskIdSchema }, closed);

/** `scripted`: as it ships with Meta-World. `keep-goal`: stays at the goal once it is reached, where the script would go on. */
export const ExpertVariantSchema = Type.Union([Type.Literal('scripted'), Type.Literal('keep-goal')]);
export type ExpertVariant = Static<typeof ExpertVariantSchema>;

/** Who chooses the actions: the server, or the scripted expert in the worker with Gaussian noise of deviation `noise`. */
export const ActorSchema = Type.Union([
  Type.Object({ kind: Type.Literal('server') }, closed),
  Type.Object(
    {
      kind: Type.Literal('expert'),
      noise: Type.Number({ minimum: 0, maximum: 2 }),
      noiseSeed: Type.Integer({ minimum: 0, maximum: 0xffffffff }),
      /** `scripted` where left out. */
      variant: Type.Optional(ExpertVariantSchema),
    },
    closed,
  ),
]);

/** Starts an episode. The worker answers with an `observed` row of step 0, or with a `fault`. */
export const AssignSchema = Type.Object(
  {
    type: Type.Literal('assign'),
    environment: EnvironmentIndex,
    episode: EpisodeId,
    task: TaskIdSchema,
    protocol: EvaluationProtocolSchema,
    /** The start state is a pure function of task, protocol, seed and index. */
    seed: Type.Integer({ minimum: 0, maximum: 0xffffffff }),
    start: Type.Integer({ minimum: 0, maximum: 0xffffffff }),
    horizon: Type.Integer({ minimum: 1, maximum: 100_000 }),
    actor: ActorSchema,
    /** Every row of the episode is to carry poses, whatever `watch` says: it is recorded. */
    poses: Type.Optional(Type.Boolean()),
  },
  closed,
);

/** Steps the named environments. For expert actors the row is ignored unless `weights` says otherwise. Stale episodes are ignored and counted. */
export const ActSchema = Type.Object(
  {
    type: Type.Literal('act'),
    environments: TensorSchema, // uint16 [n]
    episodes: TensorSchema, // uint32 [n]
    actions: TensorSchema, // float32 [n, A]
    /** float32 [n] in [0, 1]: how much of an expert actor's step is the row and not the expert; 0 where left out. */
    weights: Type.Optional(TensorSchema),
    /** float32 [n, 7]: a body pulled in this step (0: none), the point of it [3] in its own frame, and where to [3]. */
    pulls: Type.Optional(TensorSchema),
  },
  closed,
);

/** Ends an episode early; the environment is free again. No answer. */
export const ReleaseSchema = Type.Object(
  { type: Type.Literal('release'), environment: EnvironmentIndex, episode: EpisodeId },
  closed,
);

/** Poses are sent for at most `posesHz` steps a second and environment (0: none; every start and end is included otherwise). */
export const WatchSchema = Type.Object(
  {
    type: Type.Literal('watch'),
    posesHz: Type.Number({ minimum: 0, maximum: 240 }),
    /** Whether poses bring the contacts of the moment along. */
    contacts: Type.Optional(Type.Boolean()),
  },
  closed,
);

export const WantSceneSchema = Type.Object({ type: Type.Literal('want-scene'), task: TaskIdSchema }, closed);

/** The worker finishes nothing more, says `bye` and exits. */
export const DrainSchema = Type.Object({ type: Type.Literal('drain'), reason: Text }, closed);

/** Keeps the worker from taking the server for dead while there is nothing to do. */
export const ServerHeartbeatSchema = Type.Object({ type: Type.Literal('alive') }, closed);

export const WorkerMessageSchema = Type.Union([
  HelloSchema,
  DescribedSchema,
  ObservedSchema,
  FaultSchema,
  SceneSchema,
  HeartbeatSchema,
  WorkerByeSchema,
]);
export type WorkerMessage = Static<typeof WorkerMessageSchema>;

export const ServerMessageSchema = Type.Union([
  WelcomeSchema,
  RefusedSchema,
  DescribeSchema,
  AssignSchema,
  ActSchema,
  ReleaseSchema,
  WatchSchema,
  WantSceneSchema,
  DrainSchema,
  ServerHeartbeatSchema,
]);
export type ServerMessage = Static<typeof ServerMessageSchema>;

export type Hello = Static<typeof HelloSchema>;
export type Observed = Static<typeof ObservedSchema>;
export type Fault = Static<typeof FaultSchema>;
export type Assign = Static<typeof AssignSchema>;
export type Act = Static<typeof ActSchema>;
export type Actor = Static<typeof ActorSchema>;

/** Bits of `observed.flags`. */
export const STEP_FLAGS = {
  terminated: 1,
  truncated: 2,
  success: 4,
  /** The simulation went unstable: the observation is not to be trusted and the episode is an error. */
  unstable: 8,
  poses: 16,
} as const;
