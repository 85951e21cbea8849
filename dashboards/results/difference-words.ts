import type { PairedReturns, PairedSuccess } from '../../protocol/comparison.ts';

/** Below this, adjusted for the number of tasks, a difference is called one. */
const LEVEL = 0.05;

/** `p = 0.031`, never `p = 0.000`. */
export function pWords(pValue: number): string {
  if (pValue < 0.001) return 'p < 0.001';
  return `p = ${pValue >= 0.1 ? pValue.toFixed(2) : pValue.toFixed(3)}`;
}

/** `+12.5` percentage points, with a sign that is as wide as a digit. */
export function pointsWords(difference: number): string {
  return signed(difference * 100, 1);
}

export function signed(value: number, digits: number): string {
  const text = Math.abs(value).toFixed(digits);
  if (Number(text) === 0) return `±${text}`;
  return `${value < 0 ? '−' : '+'}${text}`;
}

export type Verdict = 'better' | 'worse' | 'unclear';

/** What the test allows to say, so that nobody reads more out of a difference than is in it. */
export function verdictOf(tested: PairedSuccess | PairedReturns): Verdict {
  if (tested.adjustedPValue >= LEVEL) return 'unclear';
  const [more, less] = 'gained' in tested ? [tested.gained, tested.lost] : [tested.higher, tested.lower];
  return more > less ? 'better' : 'worse';
}
