import { Type, type Static } from 'typebox';
import { RateSchema } from './dashboard-views.ts';
import { EvaluationProtocolSchema, TaskIdSchema } from './task.ts';

const closed = { additionalProperties: false } as const;
const Count = Type.Integer({ minimum: 0 });
const Share = Type.Number({ minimum: 0, maximum: 1 });
const Difference = Type.Number({ minimum: -1, maximum: 1 });
const Interval = Type.Object({ low: Type.Number(), high: Type.Number() }, closed);

/** Pairs of episodes from equal starts: who succeeded, and what follows. Differences are the run's less the baseline's. */
const PairedSuccessSchema = Type.Object(
  {
    both: Count,
    gained: Type.Integer({ minimum: 0, description: 'only this run succeeded' }),
    lost: Type.Integer({ minimum: 0, description: 'only the baseline succeeded' }),
    neither: Count,
    difference: Difference,
    interval: Type.Object(Interval.properties, { ...closed, description: '95 %, Newcombe 1998, method 10' }),
    pValue: Type.Number({ minimum: 0, maximum: 1, description: 'exact McNemar test, two-sided' }),
    adjustedPValue: Type.Number({ minimum: 0, maximum: 1, description: 'for the number of tasks, Holm 1979' }),
  },
  closed,
);
export type PairedSuccess = Static<typeof PairedSuccessSchema>;

const PairedReturnsSchema = Type.Object(
  {
    pairs: Count,
    higher: Count,
    lower: Count,
    mean: Type.Number(),
    median: Type.Number(),
    interval: Type.Union([Interval, Type.Null()], {
      description: '95 % of the median, from order statistics; null below six pairs',
    }),
    pValue: Type.Number({ minimum: 0, maximum: 1, description: 'exact sign test, two-sided' }),
    adjustedPValue: Share,
  },
  closed,
);
export type PairedReturns = Static<typeof PairedReturnsSchema>;

/** One run on one task, or on all: its own rates, and its pairs with the baseline. */
const ComparedScoreSchema = Type.Object(
  {
    episodes: Type.Integer({ minimum: 0, description: 'scored, errors left out' }),
    successAnyTime: RateSchema,
    successAtEnd: RateSchema,
    meanReturn: Type.Union([Type.Number(), Type.Null()]),
    /** Null for the baseline, for runs that cannot be paired with it, and where no start was scored in both. */
    pairedAnyTime: Type.Union([PairedSuccessSchema, Type.Null()]),
    pairedAtEnd: Type.Union([PairedSuccessSchema, Type.Null()]),
    pairedReturns: Type.Union([PairedReturnsSchema, Type.Null()], { description: 'null over several tasks' }),
  },
  closed,
);
export type ComparedScore = Static<typeof ComparedScoreSchema>;

export const ComparisonSchema = Type.Object(
  {
    /** The first is the baseline; scores are in this order everywhere. */
    runs: Type.Array(
      Type.Object(
        {
          run: Type.String(),
          policy: Type.String(),
          protocol: Type.Union([EvaluationProtocolSchema, Type.Null()]),
          seed: Count,
          unpaired: Type.String({ description: 'why its starts are not those of the baseline; empty if they are' }),
        },
        closed,
      ),
    ),
    overall: Type.Array(ComparedScoreSchema),
    tasks: Type.Array(Type.Object({ task: TaskIdSchema, scores: Type.Array(ComparedScoreSchema) }, closed)),
  },
  closed,
);
export type Comparison = Static<typeof ComparisonSchema>;
