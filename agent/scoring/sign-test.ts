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

/** P(X <= most) of `count` fair coins; in logarithms, because 2^-1100 is already 0. @param most -1 gives 0 */
export function fairCoinTail(count: number, most: number): number {
  let logTerm = -count * Math.LN2;
  let sum = 0;
  for (let heads = 0; heads <= most; heads++) {
    if (heads > 0) logTerm += Math.log((count - heads + 1) / heads);
    sum += Math.exp(logTerm);
  }
  return Math.min(1, sum);
}
