/**
 * The bin of a finite action in [-1, 1]; actions outside fall into the outermost bins (spec §2.3). The sum is rounded to single
 * precision as in the reference, which matters just below the edge of a bin.
 */
export function tokenFromAction(action: number, bins: number): number {
  const token = Math.trunc((Math.fround(action + 1) * bins) / 2);
  return Math.min(Math.max(token, 0), bins - 1);
}

/** Lower edge of the bin as in the paper, where +1 cannot be reached, or its middle. */
export function actionFromToken(token: number, bins: number, binCentres: boolean): number {
  return ((token + (binCentres ? 0.5 : 0)) * 2) / bins - 1;
}

/** The bin of 0, which stands in the dimensions that a task does not have (spec §1.6). */
export function zeroActionToken(bins: number): number {
  return tokenFromAction(0, bins);
}

/** `tokenFromAction` for many. */
export function tokensFromActions(actions: ArrayLike<number>, bins: number): Int32Array {
  const tokens = new Int32Array(actions.length);
  for (let i = 0; i < tokens.length; i++) tokens[i] = tokenFromAction(actions[i]!, bins);
  return tokens;
}
