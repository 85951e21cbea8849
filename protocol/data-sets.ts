import { Type, type Static } from 'typebox';
import { TaskIdSchema } from './task.ts';

const closed = { additionalProperties: false } as const;
const Count = Type.Integer({ minimum: 0 });
const Share = Type.Union([Type.Number({ minimum: 0, maximum: 1 }), Type.Null()]);

/** What has been collected of one task under one name, as `GET /api/data` tells it. */
export const DataSetViewSchema = Type.Object(
  {
    task: TaskIdSchema,
    source: Type.String({ description: 'name of the data set' }),
    state: Type.Union([Type.Literal('finished'), Type.Literal('collecting'), Type.Literal('empty')], {
      description: 'collecting: there are episodes that are not in a finished file, being collected or interrupted',
    }),
    episodes: Count,
    unfinishedEpisodes: Count,
    transitions: Count,
    meanReturn: Type.Number(),
    successAnyTime: Share,
    successAtEnd: Share,
    returns: Type.Union([
      Type.Object({ low: Type.Number(), high: Type.Number(), counts: Type.Array(Count) }, closed),
      Type.Null(),
    ]),
    sha256: Type.Union([Type.String(), Type.Null()], { description: 'of the finished file; null without one' }),
    provenance: Type.Record(Type.String(), Type.Record(Type.String(), Type.Unknown()), {
      description: 'identity: what makes its episodes belong together; notes: command and versions',
    }),
  },
  closed,
);
export type DataSetView = Static<typeof DataSetViewSchema>;

export const DataSetsSchema = Type.Object(
  {
    sets: Type.Array(DataSetViewSchema, { description: 'ordered by task and source' }),
    damaged: Type.Array(Type.Object({ file: Type.String(), message: Type.String() }, closed), {
      description: 'files that cannot be read; `l2m data verify` says more',
    }),
  },
  closed,
);
export type DataSets = Static<typeof DataSetsSchema>;
