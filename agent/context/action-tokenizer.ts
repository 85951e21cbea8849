/**
 * The bin of an action in [-1, 1]; actions outside fall into the outermost bins (spec §2.3).
 * JavaScript computes in doubles; with a bin count that is a power of two this gives the same bin as single precision does.
 */
export function tokenFromAction(action: number, bins: number): number {
  const token = Math.trunc(((action + 1) * bins) / 2);
  return Math.min(Math.max(token, 0), bins - 1);
}

/** Lower edge of the bin as in the paper, where +1 cannot be reached, or its middle. */
export function actionFromToken(token: number, bins: number, binCentres: boolean): number {
  return ((token + (binCentres ? 0.5 : 0)) * 2) / bins - 1;
}

/** `tokenFromAction` for many, into an array of the same length. */
export function tokensFromActions(actions: ArrayLike<number>, tokens: Int32Array, bins: number): void {
  for (let i = 0; i < actions.length; i++) tokens[i] = tokenFromAction(actions[i]!, bins);
}
