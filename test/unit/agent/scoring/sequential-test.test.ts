import { describe, expect, it } from 'vitest';
import { randomSource } from '../../../../agent/random.ts';
import {
  decidingLead,
  NO_PAIRS,
  SEQUENTIAL_TEST,
  sequentialVerdict,
  withPair,
  type SequentialTestOptions,
} from '../../../../agent/scoring/sequential-test.ts';

/** Share of tests that end with `worse`, and pairs used, for policies that differ in some pairs and then gain with some probability. */
function simulate(gains: number, differing: number, options: SequentialTestOptions = SEQUENTIAL_TEST) {
  const random = randomSource(7);
  const tests = 4000;
  let [worse, pairs] = [0, 0];
  for (let test = 0; test < tests; test++) {
    let tally = NO_PAIRS;
    let verdict = sequentialVerdict(tally, options);
    while (verdict === 'continue') {
      const differs = random.uniform() < differing;
      tally = withPair(tally, differs ? (random.uniform() < gains ? 1 : -1) : 0);
      verdict = sequentialVerdict(tally, options);
      pairs++;
    }
    if (verdict === 'worse') worse++;
  }
  return { worse: worse / tests, pairs: pairs / tests };
}

describe('the sequential test of pairs', () => {
  const unlimited = { ...SEQUENTIAL_TEST, maxPairs: 1_000_000 };

  it('holds its error rates where it ends by itself', () => {
    expect(1 - simulate(1 / 3, 1, unlimited).worse).toBeLessThan(SEQUENTIAL_TEST.errorRate);
    expect(simulate(2 / 3, 1, unlimited).worse).toBeLessThan(SEQUENTIAL_TEST.errorRate);
    expect(1 - simulate(1 / 3, 0.3, unlimited).worse).toBeLessThan(SEQUENTIAL_TEST.errorRate);
  });

  it('cut off at its limit, errs at most once in ten where a third of the pairs differ', () => {
    for (const differing of [1 / 3, 0.5, 1]) {
      expect(1 - simulate(1 / 3, differing).worse).toBeLessThan(0.1);
      expect(simulate(2 / 3, differing).worse).toBeLessThan(0.1);
    }
  });

  it('needs few pairs where the difference is large', () => {
    expect(simulate(0.05, 0.5).pairs).toBeLessThan(15);
    expect(simulate(0.95, 0.5).pairs).toBeLessThan(15);
  });

  it('decides by a lead, and at the limit by the tally', () => {
    expect(decidingLead(SEQUENTIAL_TEST)).toBe(5);
    expect(sequentialVerdict({ gained: 5, lost: 0, tied: 0 }, SEQUENTIAL_TEST)).toBe('not-worse');
    expect(sequentialVerdict({ gained: 3, lost: 8, tied: 2 }, SEQUENTIAL_TEST)).toBe('worse');
    expect(sequentialVerdict({ gained: 4, lost: 0, tied: 50 }, SEQUENTIAL_TEST)).toBe('continue');
    expect(sequentialVerdict({ gained: 0, lost: 0, tied: 60 }, SEQUENTIAL_TEST)).toBe('not-worse');
    expect(sequentialVerdict({ gained: 2, lost: 3, tied: 55 }, SEQUENTIAL_TEST)).toBe('worse');
  });

  it('refuses options that decide nothing', () => {
    for (const change of [{ odds: 1 }, { errorRate: 0 }, { errorRate: 0.5 }, { maxPairs: 0 }]) {
      expect(() => decidingLead({ ...SEQUENTIAL_TEST, ...change })).toThrow(RangeError);
    }
  });
});
