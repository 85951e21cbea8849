import { describe, expect, it } from 'vitest';
import {
  keptEpisodes,
  newestKept,
  type EpisodeFigures,
  type KeepRule,
} from '../../../../server/adaptation/keep-rules.ts';

const RULE: KeepRule = { success: 'any-time', targetReturn: null, mostPerStart: 1, reportsSuccess: true };

function episode(start: number, changes: Partial<EpisodeFigures> = {}): EpisodeFigures {
  return { start, return: 0, anyTime: false, atEnd: false, ...changes };
}

describe('what is kept of a round', () => {
  const figures = [
    episode(0, { anyTime: true, return: 5 }),
    episode(1, { return: 90 }),
    episode(2, { anyTime: true, atEnd: true, return: 7 }),
    episode(2, { anyTime: true, atEnd: true, return: 9 }),
  ];

  it('is what succeeded, of each start the best', () => {
    expect(keptEpisodes(figures, RULE)).toEqual([0, 3]);
    expect(keptEpisodes(figures, { ...RULE, mostPerStart: 2 })).toEqual([0, 2, 3]);
  });

  it('follows the definition of success', () => {
    expect(keptEpisodes(figures, { ...RULE, success: 'at-end' })).toEqual([3]);
  });

  it('is also what reached the target return', () => {
    expect(keptEpisodes(figures, { ...RULE, targetReturn: 90 })).toEqual([0, 1, 3]);
  });

  it('is the best quarter where the task knows no success', () => {
    const returns = [3, 8, 1, 7, 2, 6, 4, 5].map((value, start) => episode(start, { return: value, anyTime: true }));
    expect(keptEpisodes(returns, { ...RULE, reportsSuccess: false })).toEqual([1, 3]);
    expect(keptEpisodes(returns, { ...RULE, reportsSuccess: false, targetReturn: 6 })).toEqual([1, 3, 5]);
    expect(keptEpisodes([], { ...RULE, reportsSuccess: false })).toEqual([]);
  });
});

describe('what is remembered', () => {
  it('is the newest of all rounds', () => {
    expect(newestKept([[0, 1], [5], [2, 3, 4]], 4)).toEqual([[], [5], [2, 3, 4]]);
    expect(newestKept([[0, 1], [5], [2, 3, 4]], 2)).toEqual([[], [], [3, 4]]);
    expect(newestKept([[0, 1], []], 10)).toEqual([[0, 1], []]);
  });
});
