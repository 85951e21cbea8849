import { Type, type Static } from 'typebox';
import { TaskIdSchema } from './task.ts';

/**
 * What a continual training knows after each of its stages: one file `performance-matrix.json` in the folder of the training,
 * written anew (whole, by renaming) after every evaluation. The server reads these below `<data>/continual/<training>/` and
 * serves them under `/api/continual`; the page draws the newest value of each (task, stage).
 */
export const PERFORMANCE_MATRIX_FILE = 'performance-matrix.json';

const closed = { additionalProperties: false } as const;
const Count = Type.Integer({ minimum: 0, maximum: 0xffffffff });
const Name = Type.String({ minLength: 1, maxLength: 128 });

export const PerformanceRowSchema = Type.Object(
  {
    stage: Type.Integer({ minimum: 0, maximum: 1000, description: '0: before learning; s: during or after task s' }),
    stageTask: Type.Union([TaskIdSchema, Type.Null()], { description: 'learned in this stage; null in stage 0' }),
    task: TaskIdSchema,
    success: Type.Union([Type.Number({ minimum: 0, maximum: 1 }), Type.Null()], {
      description: 'k / n at any time; null where the task has no success',
    }),
    k: Count,
    n: Count,
    score: Type.Optional(Type.Number({ description: 'normalised return, for tasks without success' })),
    update: Type.Optional(Type.Integer({ minimum: 0, description: 'updates of the whole training when it was taken' })),
  },
  closed,
);
export type PerformanceRow = Static<typeof PerformanceRowSchema>;

export const PerformanceMatrixSchema = Type.Object(
  {
    format: Type.Literal('l2m-performance-matrix-1'),
    name: Name,
    method: Name,
    seed: Count,
    state: Type.Union([Type.Literal('running'), Type.Literal('stopped'), Type.Literal('finished')]),
    sequence: Type.Array(TaskIdSchema, { maxItems: 256, description: 'learned one after the other; may repeat' }),
    others: Type.Array(TaskIdSchema, { maxItems: 256, description: 'only evaluated: tasks of pre-training' }),
    rows: Type.Array(PerformanceRowSchema, { maxItems: 65_536, description: 'in the order of their evaluation' }),
  },
  closed,
);
export type PerformanceMatrix = Static<typeof PerformanceMatrixSchema>;

export const PerformanceMatricesSchema = Type.Object(
  { matrices: Type.Array(PerformanceMatrixSchema, { maxItems: 64, description: 'newest first' }) },
  closed,
);
