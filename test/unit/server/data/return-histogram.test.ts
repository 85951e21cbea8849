import { describe, expect, test } from 'vitest';
import { returnHistogram, sparklineOf } from '../../../../server/data/return-histogram.ts';

describe('a histogram of returns', () => {
  test('counts every value once, both bounds included', () => {
    expect(returnHistogram([0, 1, 2, 3, 4, 4], 4)).toEqual({ low: 0, high: 4, counts: [1, 1, 1, 3] });
  });

  test('of equal values has them all in the first bin', () => {
    expect(returnHistogram([7, 7, 7], 3)).toEqual({ low: 7, high: 7, counts: [3, 0, 0] });
  });

  test('as a line shows heights by the fullest bin, and gaps', () => {
    expect(sparklineOf([1, 0, 8, 4])).toBe('▂ █▅');
    expect(sparklineOf([0, 0])).toBe('  ');
  });
});
