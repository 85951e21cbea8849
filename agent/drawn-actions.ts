import type { RandomSource } from './random.ts';

/**
 * Gumbel noise: added to logits, it makes taking the likeliest bin a draw from softmax(logits / temperature) (Gumbel 1954). Zeros draw
 * nothing, so that windows that draw and windows that do not fit into one batch.
 *
 * @param count numbers, such as A × V for the bins of one step
 * @param temperature above 0; 1 draws as often as the policy thinks right, less draws the likely ones more often
 */
export function gumbelNoise(random: RandomSource, count: number, temperature: number): Float32Array {
  // A uniform number may be 0 and is never 1: half of its smallest step keeps the logarithms finite.
  return Float32Array.from(
    { length: count },
    () => -temperature * Math.log(-Math.log(Math.max(random.uniform(), 2 ** -54))),
  );
}
