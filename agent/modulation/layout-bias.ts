import { cast, minimum, mul, reshape, square, sub, type Tensor } from '../ops.ts';

/** Added to the score of a key of another layout; no similarity makes up for it. */
const EXCLUDED = -1e9;

/**
 * Beyond the paper: a window is served by keys of tasks that are observed as it is. A window whose layout no key has finds all of them
 * excluded alike, hence falls on the first key, which points to the identity.
 *
 * @param searchGroups [B] int32, place of the window's layout in the policy's order of layouts; -1 for one that is not in it
 * @param keyLayouts [K] that of each key
 * @returns [B, K], for `Routing.scoreBias`; owned by the caller
 */
export function layoutBias(searchGroups: Tensor, keyLayouts: Tensor): Tensor {
  const [windows, keys] = [reshape(cast(searchGroups, 'float32'), [-1, 1]), reshape(keyLayouts, [1, -1])];
  const differs = minimum(square(sub(windows, keys)), 1);
  return mul(differs, EXCLUDED);
}
