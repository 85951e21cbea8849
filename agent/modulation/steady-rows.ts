import { AgentError } from '../agent-error.ts';
import type { PoolModulation } from '../config.ts';
import { add, cast, greater, mul, sub, zerosLike, type Tensor } from '../ops.ts';

export interface AskedRows {
  /** [B] int32, row of the best key */
  readonly rows: Tensor;
  /** [B] its raw cosine */
  readonly similarity: Tensor;
  /** [B] int32, what earlier steps of the episode settled on; -1 where nothing is settled yet */
  readonly heldRows?: Tensor | undefined;
}

/**
 * Beyond the paper, in decisions only: windows that no key is near to are left to the frozen model (`unknownBelow`), and the row that most
 * steps of an episode asked for goes on deciding (`voteSteps`). Without these settings the best key decides, as in the paper.
 *
 * @returns asked [B] int32, what this window votes for; used [B] int32, what decides; owned by the caller
 * @throws AgentError L2M_SHAPE_MISMATCH where steps vote and nobody says what they voted for
 */
export function steadyRows(
  { rows, similarity, heldRows }: AskedRows,
  { unknownBelow, voteSteps }: Pick<PoolModulation, 'unknownBelow' | 'voteSteps'>,
): { readonly asked: Tensor; readonly used: Tensor } {
  // Row 0 is the identity of a key table.
  const known = unknownBelow === undefined ? undefined : greater(similarity, unknownBelow);
  const asked = known === undefined ? rows : either(known, rows, zerosLike(similarity));
  if (voteSteps === undefined) return { asked, used: asked };
  if (heldRows === undefined) throw new AgentError('L2M_SHAPE_MISMATCH', `no heldRows for votes of ${voteSteps} steps`);
  const held = cast(heldRows, 'float32');
  return { asked, used: either(greater(held, -1), held, asked) };
}

/** By arithmetic, which every backend and every captured graph has; rows are small enough to be exact in float32. */
function either(condition: Tensor, whenTrue: Tensor, whenFalse: Tensor): Tensor {
  const first = cast(condition, 'float32');
  const chosen = add(mul(cast(whenTrue, 'float32'), first), mul(cast(whenFalse, 'float32'), sub(1, first)));
  return cast(chosen, 'int32');
}
