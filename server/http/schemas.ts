import { Type, type Static } from 'typebox';
import { RunStateSchema, RunSummarySchema, TaskScoreSchema, WorkerViewSchema } from '../../protocol/dashboard-views.ts';
import { DomainSchema, EvaluationProtocolSchema, TaskIdSchema } from '../../protocol/task.ts';
import { RECORDING_ID_PATTERN, RecordingHeaderSchema } from '../../protocol/recording.ts';
import {
  EpisodeRowSchema,
  MetricPointSchema,
  OutcomeSchema,
  RunHeadSchema,
  RunKindSchema,
  StoredRunSchema,
} from '../store/records.ts';
import { RUN_ID_PATTERN } from '../store/run-id.ts';

const closed = { additionalProperties: false } as const;
const Count = Type.Integer({ minimum: 0 });

const ErrorReplySchema = Type.Object(
  {
    code: Type.String({ description: 'stable; one of protocol/error-codes.ts' }),
    message: Type.String(),
    hint: Type.String({ description: 'what to do about it' }),
    correlationId: Type.Optional(Type.String({ description: 'where to look in the server log; internal errors only' })),
  },
  closed,
);
export type ErrorReply = Static<typeof ErrorReplySchema>;

/** Every route may answer with these. */
export const errorReplies = { '4xx': ErrorReplySchema, '5xx': ErrorReplySchema } as const;

export const RunParams = Type.Object({ run: Type.String({ pattern: RUN_ID_PATTERN }) }, closed);

export const PageQuery = Type.Object(
  {
    limit: Type.Integer({ minimum: 1, maximum: 1000, default: 100 }),
    offset: Type.Integer({ minimum: 0, maximum: 1_000_000_000, default: 0 }),
  },
  closed,
);

export const RunsQuery = Type.Object(
  {
    ...PageQuery.properties,
    text: Type.Optional(
      Type.String({ maxLength: 256, description: 'in name, policy, kind, state, protocol or tasks; any case' }),
    ),
    kind: Type.Optional(RunKindSchema),
    state: Type.Optional(RunStateSchema),
    sort: Type.Union(
      [
        Type.Literal('started'),
        Type.Literal('policy'),
        Type.Literal('kind'),
        Type.Literal('state'),
        Type.Literal('episodes'),
        Type.Literal('successAnyTime'),
        Type.Literal('successAtEnd'),
      ],
      { default: 'started', description: 'runs without the value come last in either order' },
    ),
    order: Type.Union([Type.Literal('ascending'), Type.Literal('descending')], { default: 'descending' }),
  },
  closed,
);

export const EpisodesQuery = Type.Object(
  { ...PageQuery.properties, task: Type.Optional(TaskIdSchema), outcome: Type.Optional(OutcomeSchema) },
  closed,
);

export const ExportQuery = Type.Object(
  {
    format: Type.Union([Type.Literal('json'), Type.Literal('csv'), Type.Literal('parquet')], { default: 'json' }),
  },
  closed,
);

export const CompareQuery = Type.Object(
  {
    runs: Type.String({
      maxLength: 1024,
      pattern: '^[^,]+(,[^,]+){1,7}$',
      description: 'two to eight runs, separated by commas; the first is the baseline',
    }),
  },
  closed,
);

export const MetricsQuery = Type.Object(
  {
    name: Type.Optional(Type.String({ maxLength: 128 })),
    most: Type.Optional(
      Type.Integer({ minimum: 2, maximum: 10_000, description: 'thin every curve to about this many means' }),
    ),
  },
  closed,
);

/** What `l2m evaluate` asks for on the command line, as JSON. */
export const EvaluationBodySchema = Type.Object(
  {
    tasks: Type.Array(Type.String({ minLength: 1, maxLength: 128 }), {
      minItems: 1,
      maxItems: 256,
      description: 'tasks and groups, such as MT10 or dmcontrol/walker-walk',
    }),
    episodes: Type.Integer({ minimum: 1, maximum: 100_000, default: 10, description: 'of each task' }),
    protocol: Type.Union(EvaluationProtocolSchema.anyOf, { default: 'official-v3' }),
    seed: Type.Integer({ minimum: 0, maximum: 0xffffffff, default: 42 }),
    policy: Type.Union(
      [Type.Literal('checkpoint'), Type.Literal('expert'), Type.Literal('random'), Type.Literal('zero')],
      { default: 'checkpoint' },
    ),
    checkpoint: Type.Optional(
      Type.String({ minLength: 1, maxLength: 1024, description: 'folder on the server; left out, the shipped one' }),
    ),
    resume: Type.Optional(Type.String({ pattern: RUN_ID_PATTERN, description: 'go on with this run' })),
  },
  closed,
);
export type EvaluationBody = Static<typeof EvaluationBodySchema>;

export const ControlBodySchema = Type.Object(
  { action: Type.Union([Type.Literal('pause'), Type.Literal('resume'), Type.Literal('stop')]) },
  closed,
);
export type RunAction = Static<typeof ControlBodySchema>['action'];

export const HealthReply = Type.Object(
  { status: Type.Literal('alive'), version: Type.String(), uptimeSeconds: Type.Number() },
  closed,
);

export const ReadyReply = Type.Object(
  {
    state: Type.Union([Type.Literal('ready'), Type.Literal('degraded'), Type.Literal('unready')]),
    reasons: Type.Array(Type.String()),
  },
  closed,
);

export const RunsReply = Type.Object({ total: Count, runs: Type.Array(RunHeadSchema) }, closed);

export const RunReply = Type.Object(
  {
    run: StoredRunSchema,
    scores: Type.Array(TaskScoreSchema),
    live: Type.Union([RunSummarySchema, Type.Null()], { description: 'null unless this server runs it now or did' }),
  },
  closed,
);

export const EpisodesReply = Type.Object({ total: Count, episodes: Type.Array(EpisodeRowSchema) }, closed);

export const ScoresReply = Type.Object(
  {
    run: Type.String(),
    state: RunStateSchema,
    scores: Type.Array(TaskScoreSchema),
    meanSuccessAnyTime: Type.Union([Type.Number(), Type.Null()]),
    meanSuccessAtEnd: Type.Union([Type.Number(), Type.Null()]),
  },
  closed,
);

export const MetricsReply = Type.Object({ points: Type.Array(MetricPointSchema) }, closed);

export const TasksReply = Type.Object(
  {
    tasks: Type.Array(
      Type.Object(
        {
          task: TaskIdSchema,
          domain: DomainSchema,
          hosted: Type.Boolean({ description: 'a connected worker can simulate it' }),
          observationSize: Type.Union([Count, Type.Null()], { description: 'null until the task was first used' }),
          actionSize: Type.Union([Count, Type.Null()]),
        },
        closed,
      ),
    ),
    groups: Type.Record(Type.String(), Type.Array(TaskIdSchema)),
  },
  closed,
);

const { sections: _sections, ...recordingFacts } = RecordingHeaderSchema.properties;

export const RecordingParams = Type.Object(
  { ...RunParams.properties, episode: Type.String({ pattern: RECORDING_ID_PATTERN }) },
  closed,
);

export const RecordingsQuery = Type.Object({ ...PageQuery.properties, task: Type.Optional(TaskIdSchema) }, closed);

export const RecordingQuery = Type.Object(
  {
    scene: Type.Boolean({ default: false, description: 'with the geometry inside: the file plays without a server' }),
  },
  closed,
);

export const RecordingsReply = Type.Object(
  {
    total: Count,
    bytes: Type.Integer({ minimum: 0, description: 'of all recordings of the run' }),
    recordings: Type.Array(Type.Object({ ...recordingFacts, bytes: Count }, closed)),
  },
  closed,
);

export const RebuiltReply = Type.Object(
  { pictures: Type.Integer({ minimum: 0, description: 'of every step, and of the start' }) },
  closed,
);

export const RemovedReply = Type.Object({ removed: Count }, closed);

export const WorkersReply = Type.Object({ workers: Type.Array(WorkerViewSchema) }, closed);
