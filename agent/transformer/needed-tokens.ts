import { FIRST_PREDICTING_POSITION, type ModelConfig } from '../config.ts';
import { concat, slice, type Tensor } from '../ops.ts';

/**
 * The tokens that the first `dimensions` dimensions of any step's action depend on. All, as in the paper, unless past actions are
 * hidden: then nothing sees the last wanted dimension's own token nor those after it, and leaving them out is exact.
 *
 * @param tokens embedded windows [B, T, A + 3, D]
 * @param dimensions 1..A
 * @returns [B, T, A + 3, D], or [B, T, dimensions + 2, D]: state, return-to-go, actions but the last, reward
 */
export function neededTokens(tokens: Tensor, model: ModelConfig, dimensions: number): Tensor {
  if (model.pastActions === undefined) return tokens;
  const [batch = 0, steps = 0, perStep = 0, width = 0] = tokens.shape;
  const before = slice(tokens, [0, 0, 0, 0], [batch, steps, FIRST_PREDICTING_POSITION + dimensions, width]);
  return concat([before, slice(tokens, [0, 0, perStep - 1, 0], [batch, steps, 1, width])], 2);
}
