import { Type, type Static } from 'typebox';
import { WIRE_LIMITS } from './limits.ts';
import { EvaluationProtocolSchema, TaskIdSchema } from './task.ts';

const closed = { additionalProperties: false } as const;
const Name = Type.String({ maxLength: WIRE_LIMITS.nameLength });
const Text = Type.String({ maxLength: WIRE_LIMITS.textLength });
const Count = Type.Integer({ minimum: 0 });
const Interval = Type.Object({ low: Type.Number(), high: Type.Number() }, closed);

/** A share of episodes with its 95 % Wilson interval; `rate` and the interval are null while `episodes` is 0. */
export const RateSchema = Type.Object(
  {
    successes: Count,
    episodes: Count,
    rate: Type.Union([Type.Number(), Type.Null()]),
    interval: Type.Union([Interval, Type.Null()]),
  },
  closed,
);
export type Rate = Static<typeof RateSchema>;

/** Scores of one task in one run. DMControl has no success: its rates stay at 0 episodes and the return counts. */
export const TaskScoreSchema = Type.Object(
  {
    task: TaskIdSchema,
    planned: Count,
    finished: Count,
    errors: Count,
    /** Episodes in which a person had a part: neither finished nor errors, and in no figure below. */
    assisted: Type.Optional(Count),
    successAnyTime: RateSchema,
    successAtEnd: RateSchema,
    /** Median over successful episodes of the first step with success. */
    firstSuccessStep: Type.Union([Type.Number(), Type.Null()]),
    meanReturn: Type.Union([Type.Number(), Type.Null()]),
    /** (return - random) / (reference - random), spec section 6; null where the table has no usable row. */
    normalizedScore: Type.Union([Type.Number(), Type.Null()]),
  },
  closed,
);
export type TaskScore = Static<typeof TaskScoreSchema>;

export const RunStateSchema = Type.Union([
  Type.Literal('starting'),
  Type.Literal('running'),
  Type.Literal('paused'),
  Type.Literal('draining'),
  Type.Literal('finished'),
  Type.Literal('stopped'),
  Type.Literal('failed'),
]);
export type RunState = Static<typeof RunStateSchema>;

export const RunSummarySchema = Type.Object(
  {
    run: Name,
    kind: Type.Union([Type.Literal('evaluate'), Type.Literal('collect')]),
    state: RunStateSchema,
    policy: Name,
    protocol: EvaluationProtocolSchema,
    seed: Count,
    plannedEpisodes: Count,
    finishedEpisodes: Count,
    errorEpisodes: Count,
    /** Episodes in which a person had a part; they are not scored. */
    assistedEpisodes: Type.Optional(Count),
    /** Episodes that were started again because a worker or the agent host was lost. */
    redoneEpisodes: Count,
    steps: Count,
    stepsPerSecond: Type.Number(),
    secondsLeft: Type.Union([Type.Number(), Type.Null()]),
    startedAt: Type.String(),
    tasks: Type.Array(TaskScoreSchema, { maxItems: 256 }),
    /** Mean over tasks of the two success rates (tasks that report success only). */
    meanSuccessAnyTime: Type.Union([Type.Number(), Type.Null()]),
    meanSuccessAtEnd: Type.Union([Type.Number(), Type.Null()]),
    message: Text,
  },
  closed,
);
export type RunSummary = Static<typeof RunSummarySchema>;

/** One environment as the page lists it. `key` is `workerId:index`, stable for the life of the worker. */
export const EnvironmentViewSchema = Type.Object(
  {
    key: Name,
    run: Name,
    episode: Count,
    task: TaskIdSchema,
    start: Count,
    horizon: Count,
    /** Left out where it is not known. */
    actionSize: Type.Optional(Count),
    /** Content address of the geometry under `/scene/<hash>`; empty until the worker has sent it. */
    scene: Name,
  },
  closed,
);
export type EnvironmentView = Static<typeof EnvironmentViewSchema>;

export const WorkerViewSchema = Type.Object(
  {
    worker: Name,
    state: Type.Union([Type.Literal('starting'), Type.Literal('ready'), Type.Literal('lost'), Type.Literal('gone')]),
    processId: Count,
    environments: Count,
    stepsPerSecond: Type.Number(),
    restarts: Count,
    message: Text,
  },
  closed,
);
export type WorkerView = Static<typeof WorkerViewSchema>;

/** Where the time of one decision goes, in milliseconds (medians over the last seconds), and queue figures. */
export const LoadViewSchema = Type.Object(
  {
    stepsPerSecond: Type.Number(),
    simulateMs: Type.Number(),
    transportMs: Type.Number(),
    decideMs: Type.Number(),
    totalMs: Type.Number(),
    batchSize: Type.Number(),
    queueDepth: Type.Number(),
    queueMs: Type.Number(),
    viewers: Count,
  },
  closed,
);
export type LoadView = Static<typeof LoadViewSchema>;

export const ModelViewSchema = Type.Object(
  {
    name: Name,
    parameters: Count,
    modulation: Name,
    poolSize: Count,
    backend: Name,
    version: Count,
  },
  closed,
);
export type ModelView = Static<typeof ModelViewSchema>;
