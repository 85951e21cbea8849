/**
 * Two-sided exact sign test: how likely fair coins part at least as unequally. Of pairs of successes and failures this is the exact
 * McNemar test (McNemar 1947), where only pairs that differ count.
 *
 * @param positive pairs that differ one way, >= 0
 * @param negative pairs that differ the other way, >= 0
 * @returns p in (0, 1]; 1 where no pair differs
 */
export function signTest(positive: number, negative: number): number {
  return Math.min(1, 2 * fairCoinTail(positive + negative, Math.min(positive, negative)));
}

/** 2^-1074 is the smallest number there is; beyond, logarithms carry the sum. */
const MOST_EXACT = 1000;

/** P(X <= most) of `count` fair coins, exact up to rounding. @param most -1 gives 0 */
export function fairCoinTail(count: number, most: number): number {
  let term = 2 ** -count;
  let logTerm = -count * Math.LN2;
  let sum = 0;
  for (let heads = 0; heads <= most; heads++) {
    const ratio = heads === 0 ? 1 : (count - heads + 1) / heads;
    term *= ratio;
    logTerm += Math.log(ratio);
    sum += count <= MOST_EXACT ? term : Math.exp(logTerm);
  }
  return Math.min(1, sum);
}
