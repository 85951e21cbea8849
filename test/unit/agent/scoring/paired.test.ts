import { describe, expect, it } from 'vitest';
import { holm } from '../../../../agent/scoring/holm.ts';
import { pairedDifferences } from '../../../../agent/scoring/paired-differences.ts';
import { pairedSuccess } from '../../../../agent/scoring/paired-success.ts';
import { fairCoinTail, signTest } from '../../../../agent/scoring/sign-test.ts';

describe('sign test', () => {
  it.each([
    [0, 0, 1],
    [4, 0, 2 / 16],
    [0, 5, 2 / 32],
    [1, 9, 22 / 1024],
    [8, 2, 112 / 1024],
    [5, 5, 1],
  ])('of %i against %i has the p of the binomial table', (positive, negative, expected) => {
    expect(signTest(positive, negative)).toBeCloseTo(expected, 12);
    expect(signTest(negative, positive)).toBeCloseTo(expected, 12);
  });

  it('does not underflow for thousands of pairs', () => {
    expect(fairCoinTail(4000, 2000)).toBeCloseTo(0.5 + 0.5 * 0.012615, 4);
    expect(signTest(2000, 2000)).toBe(1);
    expect(signTest(2100, 1900)).toBeCloseTo(0.00165, 4);
  });
});

describe('paired success', () => {
  it('gives the published interval: 14, 5, 0, 22 in Newcombe and Altman, Statistics with Confidence', () => {
    const compared = pairedSuccess({ both: 14, gained: 5, lost: 0, neither: 22 })!;
    expect(compared.difference).toBeCloseTo(0.122, 3);
    expect(compared.lower).toBeCloseTo(0.011, 3);
    expect(compared.upper).toBeCloseTo(0.226, 3);
    expect(compared.pValue).toBeCloseTo(0.0625, 12);
  });

  it('turns round with the sides', () => {
    const one = pairedSuccess({ both: 3, gained: 6, lost: 1, neither: 5 })!;
    const other = pairedSuccess({ both: 3, gained: 1, lost: 6, neither: 5 })!;
    expect(other.difference).toBeCloseTo(-one.difference, 12);
    expect(other.lower).toBeCloseTo(-one.upper, 12);
    expect(other.upper).toBeCloseTo(-one.lower, 12);
  });

  it('is sensible where all succeed, where all differ, and without pairs', () => {
    const equal = pairedSuccess({ both: 10, gained: 0, lost: 0, neither: 0 })!;
    expect(equal).toMatchObject({ difference: 0, pValue: 1 });
    expect(equal.upper).toBeCloseTo(0.2775, 4);
    const opposite = pairedSuccess({ both: 0, gained: 10, lost: 0, neither: 0 })!;
    expect(opposite.difference).toBe(1);
    expect(opposite.upper).toBe(1);
    expect(opposite.lower).toBeGreaterThan(0.5);
    expect(pairedSuccess({ both: 0, gained: 0, lost: 0, neither: 0 })).toBeNull();
  });
});

describe('paired differences', () => {
  it('has the order statistics of the table: 2nd and 9th of ten, 6th and 15th of twenty', () => {
    const ten = pairedDifferences([10, 9, 8, 7, 6, 5, 4, 3, 2, 1])!;
    expect(ten).toMatchObject({
      pairs: 10,
      higher: 10,
      lower: 0,
      mean: 5.5,
      median: 5.5,
      interval: { low: 2, high: 9 },
    });
    expect(ten.pValue).toBeCloseTo(2 / 1024, 12);
    const twenty = pairedDifferences(Array.from({ length: 20 }, (_, index) => index - 9))!;
    expect(twenty).toMatchObject({ interval: { low: -4, high: 5 }, higher: 10, lower: 9, median: 0.5 });
  });

  it('has no interval below six pairs, and nothing to say of none', () => {
    expect(pairedDifferences([1, 2, 3, 4, 5])).toMatchObject({ interval: null, median: 3 });
    expect(pairedDifferences([1, 2, 3, 4, 5, 6])).toMatchObject({ interval: { low: 1, high: 6 } });
    expect(pairedDifferences([0, 0])).toMatchObject({ pValue: 1, higher: 0, lower: 0 });
    expect(pairedDifferences([])).toBeNull();
  });
});

describe('adjusted p values', () => {
  it('are those of Holm', () => {
    expect(holm([0.01, 0.04, 0.03, 0.005])).toEqual([0.03, 0.06, 0.06, 0.02]);
    expect(holm([0.6, 0.7])).toEqual([1, 1]);
    expect(holm([])).toEqual([]);
  });
});
