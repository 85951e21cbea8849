import { describe, expect, it } from 'vitest';
import { normalizedScore, returnScale } from '../../../../agent/scoring/normalized-score.ts';
import { episodeSuccess, successRate } from '../../../../agent/scoring/success.ts';
import { referenceTargetReturn } from '../../../../agent/scoring/target-returns.ts';
import { KNOWN_TASKS } from '../../../../agent/tasks/groups.ts';

describe('success', () => {
  it('tells any time from at the end', () => {
    expect(episodeSuccess([0, 1, 1, 0])).toEqual({ anyTime: true, atEnd: false, firstSuccessStep: 2 });
    expect(episodeSuccess(Uint8Array.of(0, 0, 1))).toEqual({ anyTime: true, atEnd: true, firstSuccessStep: 3 });
    expect(episodeSuccess([false, false])).toEqual({ anyTime: false, atEnd: false, firstSuccessStep: null });
    expect(episodeSuccess([])).toEqual({ anyTime: false, atEnd: false, firstSuccessStep: null });
  });

  it('has the Wilson interval of the literature', () => {
    const rate = successRate(9, 10)!;
    expect(rate.lower).toBeCloseTo(0.5958, 4);
    expect(rate.upper).toBeCloseTo(0.9821, 4);
    expect(successRate(0, 5)!.lower).toBe(0);
    expect(successRate(0, 5)!.upper).toBeCloseTo(0.4345, 4);
    expect(successRate(5, 5)!.upper).toBe(1);
    expect(successRate(0, 0)).toBeNull();
  });
});

describe('normalised score', () => {
  it('is 0 for random actions and 1 for the data', () => {
    expect(normalizedScore('dmcontrol/walker-walk', 30.193)).toBeCloseTo(0, 9);
    expect(normalizedScore('dmcontrol/walker-walk', 773.174)).toBeCloseTo(1, 9);
    expect(normalizedScore('dmcontrol/point_mass-easy', 779.273)).toBeCloseTo(1, 9);
    expect(normalizedScore('metaworld/reach-v3', 1905.1067)).toBeCloseTo(1, 9);
    expect(normalizedScore('metaworld/reach-v3', 147.103)).toBeCloseTo(0, 9);
  });

  it.each([
    'dmcontrol/acrobot-swingup',
    'dmcontrol/swimmer-swimmer6',
    'dmcontrol/cartpole-balance_sparse',
    'dmcontrol/constructor',
  ])('is none for %s, whose numbers are unusable or missing', (task) => {
    expect(returnScale(task)).toBeNull();
    expect(normalizedScore(task, 10)).toBeNull();
  });

  it('has a return to ask for in every known task', () => {
    expect(referenceTargetReturn('metaworld/pick-place-v3')).toBe(1300.692);
    expect(referenceTargetReturn('dmcontrol/cheetah-run')).toBe(451.274);
    for (const task of KNOWN_TASKS) expect(referenceTargetReturn(task)).toBeGreaterThan(0);
  });
});
