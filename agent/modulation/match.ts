import { add, argMax, cast, gather, mul, type Tensor } from '../ops.ts';

/** What decides, beside similarity, which key a query falls on. All optional; absent means the paper's evaluation. */
export interface Routing {
  /** [K] float; while learning a later task, scores become ((cosine + 1) / 2) x this (spec §3.3, item 4). */
  readonly inverseCounts?: Tensor;
  /** Broadcast to [B, K]; a large negative number excludes a key (unused keys, other tasks' keys). */
  readonly scoreBias?: Tensor;
  /** [K] int32, the modulator each key points to; absent: key k points to modulator k. */
  readonly keyModulators?: Tensor;
}

/**
 * Picks one key a query.
 *
 * @param similarity [B, K] cosines
 * @returns [B] int32, owned by the caller; the first of equal keys
 */
export function selectKeys(similarity: Tensor, routing: Routing): Tensor {
  const { inverseCounts, scoreBias } = routing;
  const penalised = inverseCounts === undefined ? similarity : penalise(similarity, inverseCounts);
  const scores = scoreBias === undefined ? penalised : add(penalised, scoreBias);
  return cast(argMax(scores, 1), 'int32');
}

/** Scores in the training of a later task: keys used before weigh little (spec §3.3, item 4). */
export function penalise(similarity: Tensor, inverseCounts: Tensor): Tensor {
  return mul(mul(add(similarity, 1), 0.5), inverseCounts);
}

/** The modulators of the selected keys, [B] int32. */
export function modulatorsOf(selectedKeys: Tensor, routing: Routing): Tensor {
  return routing.keyModulators === undefined ? selectedKeys : gather(routing.keyModulators, selectedKeys);
}
