import { describe, expect, it } from 'vitest';
import { pairDifferences } from '../../../../server/adaptation/paired-evaluation.ts';
import type { ScoredEpisode } from '../../../../server/store/records.ts';

function episode(start: number, changes: Partial<ScoredEpisode> = {}): ScoredEpisode {
  return {
    ...{ task: 'metaworld/reach-v3', start, attempt: 1, outcome: 'failure', length: 10, return: 1 },
    ...{ successAtEnd: false, firstSuccessStep: null, ...changes },
  };
}
const success = (start: number, atEnd: boolean) =>
  episode(start, { outcome: 'success', firstSuccessStep: 3, successAtEnd: atEnd });

describe('differences of pairs', () => {
  it('follow the definition of success', () => {
    const acting = [success(0, false), episode(1), success(2, true)];
    const candidate = [episode(2), success(0, true), success(1, false)];
    expect(pairDifferences(acting, candidate, 'any-time')).toEqual([0, 1, -1]);
    expect(pairDifferences(acting, candidate, 'at-end')).toEqual([1, 0, -1]);
  });

  it('are those of returns where there is no success', () => {
    const scored = (start: number, value: number) =>
      episode(start, { outcome: 'scored', successAtEnd: null, return: value });
    expect(pairDifferences([scored(0, 4), scored(1, 2)], [scored(0, 7), scored(1, 2)], 'any-time')).toEqual([3, 0]);
  });

  it('leave out errors and episodes in which a person had a part', () => {
    const acting = [success(0, true), episode(1, { outcome: 'error' }), episode(2, { assistedSteps: 2 }), episode(3)];
    const candidate = [episode(0, { outcome: 'error' }), success(1, true), success(2, true)];
    expect(pairDifferences(acting, candidate, 'any-time')).toEqual([]);
  });
});
