import { add, argMax, cast, gather, mul, oneHot, slice, stack, sub, sumOver, type Tensor } from '../ops.ts';

/** What decides, beside similarity, which keys a query falls on. All optional; absent means the paper's evaluation. */
export interface Routing {
  /** [K] float; while learning a later task, scores become ((cosine + 1) / 2) x this (spec §3.3, item 4). */
  readonly inverseCounts?: Tensor;
  /** Broadcast to [B, K]; a large negative number excludes a key (unused keys, other tasks' keys). */
  readonly scoreBias?: Tensor;
  /** [K] int32, the modulator each key points to; absent: key k points to modulator k. */
  readonly keyModulators?: Tensor;
}

/** Taken off the score of a key that is already chosen; more than any excluded key lacks. */
const CHOSEN = 1e30;

/**
 * Picks the keys of each query.
 *
 * @param similarity [B, K] cosines
 * @param count k, keys a query gets
 * @returns [B] int32, or [B, k], best first, where k > 1; owned by the caller; the first of equal keys
 */
export function selectKeys(similarity: Tensor, routing: Routing, count = 1): Tensor {
  const { inverseCounts, scoreBias } = routing;
  const penalised = inverseCounts === undefined ? similarity : penalise(similarity, inverseCounts);
  let scores = scoreBias === undefined ? penalised : add(penalised, scoreBias);
  const picked = [cast(argMax(scores, 1), 'int32')];
  while (picked.length < count) {
    const last = oneHot(picked[picked.length - 1]!, similarity.shape[1]!, 1, 0, 'float32');
    scores = sub(scores, mul(last, CHOSEN));
    picked.push(cast(argMax(scores, 1), 'int32'));
  }
  return count === 1 ? picked[0]! : stack(picked, 1);
}

/** 1 at every chosen key: [B] or [B, k] -> [B, K]. */
export function chosenKeys(selectedKeys: Tensor, keyCount: number): Tensor {
  // tfjs knows no rows of one entry.
  const rows = oneHot(selectedKeys, Math.max(2, keyCount), 1, 0, 'float32');
  const chosen = selectedKeys.rank === 1 ? rows : sumOver(rows, 1);
  return keyCount === 1 ? slice(chosen, [0, 0], [chosen.shape[0], 1]) : chosen;
}

/** Scores in the training of a later task: keys used before weigh little (spec §3.3, item 4). */
export function penalise(similarity: Tensor, inverseCounts: Tensor): Tensor {
  return mul(mul(add(similarity, 1), 0.5), inverseCounts);
}

/** The modulators of the selected keys, of the same shape. */
export function modulatorsOf(selectedKeys: Tensor, routing: Routing): Tensor {
  return routing.keyModulators === undefined ? selectedKeys : gather(routing.keyModulators, selectedKeys);
}
