import { Type, type Static } from 'typebox';
import { WIRE_LIMITS } from './limits.ts';
import { TaskIdSchema } from './task.ts';
import { TensorSchema } from './tensor.ts';

const closed = { additionalProperties: false } as const;
const Name = Type.String({ maxLength: WIRE_LIMITS.nameLength });
const Count = Type.Integer({ minimum: 0 });

/** One attention map of a model: block and head count from 0. */
export const AttentionChoiceSchema = Type.Object(
  { block: Type.Integer({ minimum: 0, maximum: 1023 }), head: Type.Integer({ minimum: 0, maximum: 1023 }) },
  closed,
);
export type AttentionChoice = Static<typeof AttentionChoiceSchema>;

// ---------------------------------------------------------------- server to page

/**
 * What lay behind the newest decision of the watched environment; latest-wins, one unacknowledged.
 * d action dimensions of the task, V bins, t real steps of the window (newest last), K keys, q tokens of these
 * steps up to the last action that was decided, x = prompts + q.
 */
export const DecisionSchema = Type.Object(
  {
    type: Type.Literal('decision'),
    number: Count,
    key: Name,
    episode: Count,
    step: Count,
    /** Of the weights that decided. */
    version: Count,
    blocks: Count,
    heads: Count,
    /** State, return-to-go, padded action dimensions, reward: in this order. */
    tokensPerStep: Count,
    binCentres: Type.Boolean(),
    /** Modulator in use, -1 without a pool. */
    selected: Type.Integer({ minimum: -1 }),
    attended: Type.Union([AttentionChoiceSchema, Type.Null()]),
    probabilities: TensorSchema, // float32 [d, V]
    tokens: TensorSchema, // int32 [d] chosen bins
    returnsToGo: TensorSchema, // float32 [t] unscaled
    rewards: TensorSchema, // float32 [t] unscaled; the newest is not known yet and 0
    similarities: TensorSchema, // float32 [K] cosine of the query and every key
    points: TensorSchema, // float32 [p, 2] query, then state of the newest step, in the plane of the keys; none without a pool
    attention: TensorSchema, // float32 [q, x] weights of the chosen map, else [0, 0]
  },
  closed,
);
export type DecisionShown = Static<typeof DecisionSchema>;

/** The pool of the watched environment's policy and what its run used of it; latest-wins, at most once a second. P modulators. */
export const PoolSchema = Type.Object(
  {
    type: Type.Literal('pool'),
    number: Count,
    run: Name,
    version: Count,
    /** Share of the keys' variance along both axes of the plane. */
    shares: Type.Array(Type.Number(), { minItems: 2, maxItems: 2 }),
    tasks: Type.Array(TaskIdSchema, { maxItems: 256 }),
    keys: TensorSchema, // float32 [K, 2]
    usage: TensorSchema, // uint32 [tasks, P] decisions with each modulator
  },
  closed,
);
export type PoolShown = Static<typeof PoolSchema>;

/** Why there is nothing to see of the watched environment. */
export const NoDecisionSchema = Type.Object(
  { type: Type.Literal('no-decision'), key: Name, reason: Type.String({ maxLength: WIRE_LIMITS.textLength }) },
  closed,
);

// ---------------------------------------------------------------- page to server

/** Watches the decisions of one environment instead of the one before; null: of none. Attention costs extra, so it is asked for. */
export const WatchPolicySchema = Type.Object(
  {
    type: Type.Literal('watch-policy'),
    key: Type.Union([Name, Type.Null()]),
    attention: Type.Union([AttentionChoiceSchema, Type.Null()]),
  },
  closed,
);
export type WatchPolicy = Static<typeof WatchPolicySchema>;

/** Confirms a `decision` or `pool`, so that the next may be sent. */
export const AcknowledgePolicySchema = Type.Object({ type: Type.Literal('acknowledge-policy'), number: Count }, closed);
