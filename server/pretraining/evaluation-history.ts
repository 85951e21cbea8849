import { Type, type Static } from 'typebox';
import { openRowLog, readRows } from '../learning/row-log.ts';

const Share = Type.Union([Type.Number(), Type.Null()]);

/** One evaluation of a training on real simulators. */
export const EvaluationRowSchema = Type.Object(
  {
    /** Updates that the evaluated weights had had. */
    update: Type.Integer({ minimum: 1 }),
    /** What decides which weights are best; see `scoreOf`. */
    score: Type.Number(),
    successAnyTime: Share,
    successAtEnd: Share,
    meanReturn: Share,
    /** The run of the store that has its episodes. */
    run: Type.String(),
  },
  { additionalProperties: false },
);
export type EvaluationRow = Static<typeof EvaluationRowSchema>;

export interface Standing {
  /** The first of the highest score; undefined before the first evaluation. */
  readonly best: EvaluationRow | undefined;
  /** Evaluations in a row, the latest ones, that were not better than the best before them. */
  readonly withoutGain: number;
}

/** Where a training stands after its evaluations, in the order of their updates. */
export function standingOf(rows: readonly EvaluationRow[]): Standing {
  let standing: Standing = { best: undefined, withoutGain: 0 };
  for (const row of rows) {
    const better = standing.best === undefined || row.score > standing.best.score;
    standing = better ? { best: row, withoutGain: 0 } : { ...standing, withoutGain: standing.withoutGain + 1 };
  }
  return standing;
}

/** Every evaluation once, over all sessions of a training. */
export interface EvaluationHistory {
  rows(): readonly EvaluationRow[];
  has(update: number): boolean;
  append(row: EvaluationRow): void;
}

/** @param resume keep what earlier sessions evaluated */
export function openEvaluationHistory(path: string, resume: boolean): EvaluationHistory {
  const log = openRowLog<EvaluationRow>(path, resume ? () => true : undefined);
  const rows = readRows<EvaluationRow>(path);
  return {
    rows: () => rows,
    has: (update) => rows.some((row) => row.update === update),
    append: (row) => {
      log.append(row);
      rows.push(row);
      rows.sort((a, b) => a.update - b.update);
    },
  };
}
