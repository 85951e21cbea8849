/**
 * P values adjusted for how many were looked at (Holm 1979): below 0.05 afterwards means that the whole family holds at 5 %.
 *
 * @param pValues each in [0, 1]
 * @returns in the same order, each in [0, 1] and not below its own
 */
export function holm(pValues: readonly number[]): number[] {
  const order = pValues.map((_, index) => index).sort((a, b) => (pValues[a] ?? 0) - (pValues[b] ?? 0));
  const adjusted = new Array<number>(pValues.length).fill(1);
  let largest = 0;
  for (const [rank, index] of order.entries()) {
    largest = Math.max(largest, Math.min(1, (pValues[index] ?? 1) * (pValues.length - rank)));
    adjusted[index] = largest;
  }
  return adjusted;
}
