import { appendFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { openJournal, readJournal, standingOf, type RoundRow } from '../../../../server/adaptation/journal.ts';
import { temporaryFolder } from '../../../support/live-server.ts';

const folder = temporaryFolder();
afterAll(() => folder.remove());

function row(round: number, decision: RoundRow['decision']): RoundRow {
  return {
    ...{ round, version: 0, episodes: 4, starts: 2, solved: 1, solvedAtOnce: 1, meanReturn: 3, kept: 1 },
    ...{
      learnedFrom: 1,
      updates: 5,
      loss: 2,
      frozenSha256: 'a',
      poolSha256: 'b',
      gained: 1,
      lost: 0,
      tied: 1,
      decision,
    },
  };
}

describe('the journal', () => {
  it('says which version acts, and survives a torn line', () => {
    const path = join(folder.path, 'journal.jsonl');
    const journal = openJournal(path);
    expect(standingOf(journal.rows)).toEqual({ rounds: 0, version: 0 });
    journal.append(row(1, 'promoted'));
    journal.append(row(2, 'rolled-back'));
    expect(standingOf(journal.rows)).toEqual({ rounds: 2, version: 1 });
    appendFileSync(path, '{"round":3,"ver');
    const again = openJournal(path);
    expect(again.rows).toEqual(journal.rows);
    again.append(row(3, 'promoted'));
    expect(standingOf(readJournal(path))).toEqual({ rounds: 3, version: 3 });
  });
});
