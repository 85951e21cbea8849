import { Type, type Static } from 'typebox';
import {
  ControlSeatSchema,
  ControlSimulationSchema,
  ControlUpdatedSchema,
  DragSchema,
  TeleoperateSchema,
} from './control-messages.ts';
import {
  EnvironmentViewSchema,
  LoadViewSchema,
  ModelViewSchema,
  RunSummarySchema,
  WorkerViewSchema,
} from './dashboard-views.ts';
import { WIRE_LIMITS } from './limits.ts';
import {
  AcknowledgePolicySchema,
  DecisionSchema,
  NoDecisionSchema,
  PoolSchema,
  WatchPolicySchema,
} from './policy-messages.ts';
import { TaskIdSchema } from './task.ts';
import { TensorSchema } from './tensor.ts';

const closed = { additionalProperties: false } as const;
const Name = Type.String({ maxLength: WIRE_LIMITS.nameLength });
const Text = Type.String({ maxLength: WIRE_LIMITS.textLength });
const Count = Type.Integer({ minimum: 0 });
const Sequence = Type.Integer({ minimum: 0 });
const Version = Type.Object({ major: Count, minor: Count }, closed);

// ---------------------------------------------------------------- server to page

export const PageWelcomeSchema = Type.Object(
  {
    type: Type.Literal('welcome'),
    protocol: Version,
    serverId: Name,
    role: Type.Union([Type.Literal('viewer'), Type.Literal('operator')]),
  },
  closed,
);

/** The whole present state: sent after the welcome and whenever a page fell behind. Replaces all that came before. */
export const SnapshotSchema = Type.Object(
  {
    type: Type.Literal('snapshot'),
    sequence: Sequence,
    runs: Type.Array(RunSummarySchema, { maxItems: 64 }),
    environments: Type.Array(EnvironmentViewSchema, { maxItems: 1024 }),
    workers: Type.Array(WorkerViewSchema, { maxItems: 256 }),
    load: LoadViewSchema,
    model: Type.Union([ModelViewSchema, Type.Null()]),
  },
  closed,
);

export const RunUpdatedSchema = Type.Object(
  { type: Type.Literal('run-updated'), sequence: Sequence, summary: RunSummarySchema },
  closed,
);

export const EpisodeStartedSchema = Type.Object(
  { type: Type.Literal('episode-started'), sequence: Sequence, environment: EnvironmentViewSchema },
  closed,
);

export const EpisodeEndedSchema = Type.Object(
  {
    type: Type.Literal('episode-ended'),
    sequence: Sequence,
    key: Name,
    run: Name,
    episode: Count,
    task: TaskIdSchema,
    start: Count,
    outcome: Type.Union([
      Type.Literal('success'),
      Type.Literal('failure'),
      Type.Literal('scored'),
      Type.Literal('error'),
    ]),
    length: Count,
    return: Type.Number(),
    successAtEnd: Type.Boolean(),
    firstSuccessStep: Type.Union([Count, Type.Null()]),
    message: Text,
    /** Steps at which a person had a part, if there were any: such an episode is not scored. */
    assistedSteps: Type.Optional(Count),
  },
  closed,
);

export const WorkersUpdatedSchema = Type.Object(
  {
    type: Type.Literal('workers-updated'),
    sequence: Sequence,
    workers: Type.Array(WorkerViewSchema, { maxItems: 256 }),
  },
  closed,
);

export const NoticeSchema = Type.Object(
  {
    type: Type.Literal('notice'),
    sequence: Sequence,
    level: Type.Union([Type.Literal('info'), Type.Literal('warning'), Type.Literal('error')]),
    text: Text,
    at: Type.String(),
  },
  closed,
);

/**
 * Latest-wins picture of all running environments; at most one is unacknowledged per page. n = environments in it.
 * Curves: the page appends (step, reward) of each frame it gets; missing ones are simply not drawn.
 */
export const FramesSchema = Type.Object(
  {
    type: Type.Literal('frames'),
    frame: Sequence,
    keys: Type.Array(Name, { maxItems: 1024 }),
    episodes: TensorSchema, // uint32 [n]
    steps: TensorSchema, // uint32 [n]
    rewards: TensorSchema, // float32 [n] last reward
    returns: TensorSchema, // float32 [n] sum of rewards so far
    flags: TensorSchema, // uint8 [n] STEP_FLAGS; `success` means success at any time so far
    selections: TensorSchema, // int32 [n] selected modulator, -1 where there is none
    similarities: TensorSchema, // float32 [n] cosine of query and selected key
    poseCounts: TensorSchema, // uint16 [n] bodies of each environment in `poses`; 0 if unknown
    poses: TensorSchema, // float32 [m, 7] position, quaternion (w, x, y, z)
    contactCounts: Type.Optional(TensorSchema), // uint16 [n] contacts of each environment; only while a page asks for them
    contacts: Type.Optional(TensorSchema), // float32 [k, 11] as in `observed`
    load: LoadViewSchema,
  },
  closed,
);

/** Answers `echo` at once, behind what the page is owed: how long that takes is the round trip. */
export const EchoedSchema = Type.Object(
  {
    type: Type.Literal('echoed'),
    stamp: Type.Number(),
    /** Pictures that were due but not sent to this page, because it was still busy with the last. */
    skippedFrames: Count,
  },
  closed,
);

export const PageRefusedSchema = Type.Object(
  { type: Type.Literal('refused'), code: Name, message: Text, hint: Text },
  closed,
);

// ---------------------------------------------------------------- page to server

export const PageHelloSchema = Type.Object(
  { type: Type.Literal('hello'), protocol: Version, token: Type.Optional(Name) },
  closed,
);

/** Confirms a `frames` message, so that the next may be sent. `visible`: false slows the stream to 1 Hz. */
export const AcknowledgeSchema = Type.Object(
  { type: Type.Literal('acknowledge'), frame: Sequence, visible: Type.Boolean() },
  closed,
);

export const SubscribeSchema = Type.Object(
  {
    type: Type.Literal('subscribe'),
    framesHz: Type.Number({ minimum: 0, maximum: 60 }),
    /** Whether pictures are to bring contacts and their forces along; all pages get them while one asks. */
    contacts: Type.Optional(Type.Boolean()),
  },
  closed,
);

/** Asks to be answered; `stamp` is the page's own clock, and nobody else's business. */
export const EchoSchema = Type.Object({ type: Type.Literal('echo'), stamp: Type.Number() }, closed);

/** Needs the role `operator`. Answered by `run-updated` or by a `notice` that says why not. */
export const ControlSchema = Type.Object(
  {
    type: Type.Literal('control'),
    run: Name,
    action: Type.Union([Type.Literal('pause'), Type.Literal('resume'), Type.Literal('stop')]),
  },
  closed,
);

export const PageEventSchema = Type.Union([
  PageWelcomeSchema,
  SnapshotSchema,
  RunUpdatedSchema,
  EpisodeStartedSchema,
  EpisodeEndedSchema,
  WorkersUpdatedSchema,
  NoticeSchema,
  FramesSchema,
  DecisionSchema,
  PoolSchema,
  NoDecisionSchema,
  PageRefusedSchema,
  ControlUpdatedSchema,
  EchoedSchema,
]);
export type PageEvent = Static<typeof PageEventSchema>;

export const PageRequestSchema = Type.Union([
  PageHelloSchema,
  AcknowledgeSchema,
  SubscribeSchema,
  WatchPolicySchema,
  AcknowledgePolicySchema,
  EchoSchema,
  ControlSchema,
  ControlSeatSchema,
  ControlSimulationSchema,
  TeleoperateSchema,
  DragSchema,
]);
export type PageRequest = Static<typeof PageRequestSchema>;

export type Frames = Static<typeof FramesSchema>;
export type Snapshot = Static<typeof SnapshotSchema>;
export type EpisodeEnded = Static<typeof EpisodeEndedSchema>;
