import type { Act } from '../../protocol/simulator-messages.ts';
import { TensorFrames } from '../../protocol/tensor.ts';

/** One row of an `act` message: the episode that acts, and where; what else there may be is as in `ActSchema`. */
export interface ActionRow {
  readonly environment: number;
  readonly episode: number;
  readonly weight?: number | undefined;
  /** [7] */
  readonly pull?: Float32Array | undefined;
}

/** The message that has these environments act, and its frames. `actions` is row-major [rows, actionSize]. */
export function actMessage(
  rows: readonly ActionRow[],
  actions: Float32Array,
): { readonly message: Act; readonly frames: readonly Uint8Array[] } {
  const tensors = new TensorFrames();
  const message: Act = {
    type: 'act',
    environments: tensors.add(
      Uint16Array.from(rows, (row) => row.environment),
      [rows.length],
    ),
    episodes: tensors.add(
      Uint32Array.from(rows, (row) => row.episode),
      [rows.length],
    ),
    actions: tensors.add(actions, [rows.length, actions.length / rows.length]),
    ...sharesOf(rows, tensors),
  };
  return { message, frames: tensors.frames };
}

/** A person's share in these steps; nothing in almost every message. */
function sharesOf(rows: readonly ActionRow[], tensors: TensorFrames): Pick<Act, 'weights' | 'pulls'> {
  const weighted = rows.some(({ weight }) => weight !== undefined);
  const pulled = rows.some(({ pull }) => pull !== undefined);
  const pulls = new Float32Array(pulled ? rows.length * 7 : 0);
  if (pulled) for (const [index, { pull }] of rows.entries()) if (pull !== undefined) pulls.set(pull, index * 7);
  return {
    ...(weighted
      ? {
          weights: tensors.add(
            Float32Array.from(rows, ({ weight }) => weight ?? 0),
            [rows.length],
          ),
        }
      : {}),
    ...(pulled ? { pulls: tensors.add(pulls, [rows.length, 7]) } : {}),
  };
}
