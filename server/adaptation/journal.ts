import { openRowLog, readRows, type RowLog } from '../learning/row-log.ts';

/** One round; a line of `journal.jsonl`. A function of settings, checkpoint and round: interrupted or not, the rows are the same. */
export interface RoundRow {
  readonly round: number;
  /** Version that acted: 0 is the checkpoint itself, n what round n has learned. */
  readonly version: number;
  readonly episodes: number;
  /** Starts of the round, and those that succeeded in some pass. */
  readonly starts: number;
  readonly solved: number;
  /** Of pass 1, without noise unless it was asked for. */
  readonly solvedAtOnce: number;
  readonly meanReturn: number;
  readonly kept: number;
  /** Over all rounds and demonstrations. */
  readonly learnedFrom: number;
  /** Made by the lineage of the candidate. */
  readonly updates: number;
  /** Of the last update. */
  readonly loss: number | null;
  /** Of all weights that must not change, and of the candidate's pool. */
  readonly frozenSha256: string | null;
  readonly poolSha256: string | null;
  readonly gained: number;
  readonly lost: number;
  readonly tied: number;
  readonly decision: 'promoted' | 'rolled-back' | 'nothing-kept';
}

/** What every round starts from. */
export interface Standing {
  /** Rounds that are over. */
  readonly rounds: number;
  /** Version that acts. */
  readonly version: number;
}

export interface Journal {
  readonly rows: readonly RoundRow[];
  append(row: RoundRow): void;
}

/** The journal is the whole state between two rounds: what it says was decided counts, everything else is made again. */
export function openJournal(path: string): Journal {
  const rows = readJournal(path);
  const log: RowLog<RoundRow> = openRowLog(path, ({ round }) => round <= rows.length);
  return {
    rows,
    append: (row) => {
      log.append(row);
      rows.push(row);
    },
  };
}

/** Whole rows in order. */
export function readJournal(path: string): RoundRow[] {
  return readRows<RoundRow>(path).filter(({ round }, i) => round === i + 1);
}

export function standingOf(rows: readonly RoundRow[]): Standing {
  return { rounds: rows.length, version: rows.findLast(({ decision }) => decision === 'promoted')?.round ?? 0 };
}
