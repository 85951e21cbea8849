import { Type, type Static } from 'typebox';
import { episodeSuccess } from '../../agent/scoring/success.ts';
import { RunStateSchema, type RunState } from '../../protocol/dashboard-views.ts';
import { EvaluationProtocolSchema, TaskIdSchema, type TaskId } from '../../protocol/task.ts';

const closed = { additionalProperties: false } as const;
const Count = Type.Integer({ minimum: 0 });
const Time = Type.String({ format: 'date-time', description: 'UTC, ISO 8601' });

export const RunKindSchema = Type.Union([Type.Literal('evaluate'), Type.Literal('collect'), Type.Literal('pretrain')]);
export type RunKind = Static<typeof RunKindSchema>;

/** How many start states of a task a run visits. */
const PlannedTaskSchema = Type.Object({ task: TaskIdSchema, episodes: Count }, closed);
export type PlannedTask = Static<typeof PlannedTaskSchema>;

/** What a result was made with: enough to make it again. */
const ProvenanceSchema = Type.Object(
  {
    /** l2m, node, tensor backend, and of the workers python, mujoco, metaworld, dm_control, numpy. */
    versions: Type.Record(Type.String(), Type.String()),
    command: Type.Array(Type.String()),
    gitCommit: Type.Union([Type.String(), Type.Null()]),
    host: Type.Record(Type.String(), Type.Union([Type.String(), Type.Number()])),
  },
  closed,
);
export type Provenance = Static<typeof ProvenanceSchema>;

const headFields = {
  run: Type.String(),
  kind: RunKindSchema,
  state: RunStateSchema,
  policy: Type.String(),
  /** Null for runs without an evaluation protocol (`pretrain`). */
  protocol: Type.Union([EvaluationProtocolSchema, Type.Null()]),
  seed: Count,
  plannedEpisodes: Count,
  /** Start states whose latest attempt was scored. */
  finishedEpisodes: Count,
  /** Start states whose latest attempt ended in an error; never counted as failures of the policy. */
  errorEpisodes: Count,
  /** Start states in whose latest attempt a person had a part: neither finished nor errors, and in no score. */
  assistedEpisodes: Count,
  /** Of the finished ones, those whose task tells success from failure. */
  judgedEpisodes: Count,
  successesAnyTime: Count,
  successesAtEnd: Count,
  redoneEpisodes: Count,
  message: Type.String(),
  startedAt: Time,
  finishedAt: Type.Union([Time, Type.Null()]),
};

/** One line of a list of runs. */
export const RunHeadSchema = Type.Object(headFields, closed);
export type RunHead = Static<typeof RunHeadSchema>;

/** All that is known of one run beside its episodes. */
export const StoredRunSchema = Type.Object(
  {
    ...headFields,
    checkpointHash: Type.Union([Type.String(), Type.Null()]),
    tasks: Type.Array(PlannedTaskSchema),
    configuration: Type.Record(Type.String(), Type.Unknown()),
    provenance: ProvenanceSchema,
  },
  closed,
);
export type StoredRun = Static<typeof StoredRunSchema>;

/** What the maker of a run decides; the rest follows from what happens. */
export type NewRun = Omit<
  StoredRun,
  | 'finishedEpisodes'
  | 'errorEpisodes'
  | 'assistedEpisodes'
  | 'judgedEpisodes'
  | 'successesAnyTime'
  | 'successesAtEnd'
  | 'redoneEpisodes'
  | 'message'
  | 'startedAt'
  | 'finishedAt'
  | 'plannedEpisodes'
> & {
  /** Where it began before the store heard of it; else now. */
  readonly startedAt?: string;
};

/** A final state stamps the time of the end; going back to a state that is not final (a resume) clears it. */
export interface RunChange {
  readonly state?: RunState;
  readonly message?: string;
  readonly redoneEpisodes?: number;
  readonly tasks?: readonly PlannedTask[];
}

export const FINAL_STATES: readonly RunState[] = ['finished', 'stopped', 'failed'];

interface EpisodeCommon {
  readonly run: string;
  readonly task: TaskId;
  readonly start: number;
  /** 1 for the first try at this start state; a redone episode counts up. The latest attempt is the one that scores. */
  readonly attempt: number;
  /** Steps taken. */
  readonly length: number;
  readonly return: number;
  /** Selected modulator of each step, -1 where there is none; null for policies without a pool. */
  readonly selections: Int16Array | null;
  /** Mean cosine similarity of query and selected key, in [-1, 1]. */
  readonly similarityMean: number | null;
  readonly wallSeconds: number;
  readonly worker: string;
  readonly policyVersion: number;
  /** Steps in which a person had a part; an episode with any is kept but never scored. Default 0. */
  readonly assistedSteps?: number;
  readonly finishedAt: Date;
}

/** How an episode went, by what the task can tell. `successes` is one 0 or 1 per step. */
type EpisodeResult =
  | { readonly outcome: 'success' | 'failure'; readonly successes: Uint8Array }
  | { readonly outcome: 'scored' }
  | { readonly outcome: 'error'; readonly errorCode: string; readonly errorMessage: string };

/** One episode as the recorder hands it over. */
export type EpisodeRecord = EpisodeCommon & EpisodeResult;

export const OutcomeSchema = Type.Union([
  Type.Literal('success'),
  Type.Literal('failure'),
  Type.Literal('scored'),
  Type.Literal('error'),
]);
export type Outcome = Static<typeof OutcomeSchema>;

const scoredFields = {
  task: TaskIdSchema,
  start: Count,
  attempt: Count,
  outcome: OutcomeSchema,
  length: Count,
  return: Type.Number(),
  /** Null where the task reports no success, and for errors. */
  successAtEnd: Type.Union([Type.Boolean(), Type.Null()]),
  /** 1 is the first step; null if there was none. Success at any time means that this is not null. */
  firstSuccessStep: Type.Union([Count, Type.Null()]),
  /** Steps in which a person had a part; an episode with any is not scored. Left out for 0 where a record is made. */
  assistedSteps: Type.Optional(Count),
};

/** What scores are made from. */
export const ScoredEpisodeSchema = Type.Object(scoredFields, closed);
export type ScoredEpisode = Static<typeof ScoredEpisodeSchema>;

/** One stored attempt without its per-step columns. */
export const EpisodeRowSchema = Type.Object(
  {
    ...scoredFields,
    errorCode: Type.Union([Type.String(), Type.Null()]),
    errorMessage: Type.Union([Type.String(), Type.Null()]),
    similarityMean: Type.Union([Type.Number(), Type.Null()]),
    wallSeconds: Type.Number(),
    worker: Type.String(),
    policyVersion: Count,
    finishedAt: Time,
  },
  closed,
);
export type EpisodeRow = Static<typeof EpisodeRowSchema>;

/** One value of a training curve. */
export const MetricPointSchema = Type.Object({ step: Count, name: Type.String(), value: Type.Number() }, closed);
export type MetricPoint = Static<typeof MetricPointSchema>;

/** The part of a record that scores need; what the store keeps and what the live summary adds up are the same. */
export function scoredEpisodeOf(record: EpisodeRecord): ScoredEpisode {
  const { task, start, attempt, outcome, length } = record;
  const { assistedSteps = 0 } = record;
  const common = { task, start, attempt, outcome, length, return: record.return, assistedSteps };
  if (record.outcome !== 'success' && record.outcome !== 'failure') {
    return { ...common, successAtEnd: null, firstSuccessStep: null };
  }
  const { atEnd, firstSuccessStep } = episodeSuccess(record.successes);
  return { ...common, successAtEnd: atEnd, firstSuccessStep };
}

/** Whether a person had a part in an episode: it is kept and shown, but counts in no score. */
export function isAssisted({ assistedSteps = 0 }: Pick<ScoredEpisode, 'assistedSteps'>): boolean {
  return assistedSteps > 0;
}
