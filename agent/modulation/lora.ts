import type { ModelConfig } from '../config.ts';
import { add, gather, matMul, mul, reshape, split, transpose, type Tensor } from '../ops.ts';
import {
  LORA_IN_NAME,
  LORA_OUT_NAME,
  MODULATOR_SLOTS,
  parameter,
  SINGLE_LORA_IN_NAME,
  SINGLE_LORA_OUT_NAME,
  type ParameterRecord,
} from '../weights/names.ts';

/**
 * `x -> scaling (x in) out`, one pair for each window, in [B, width, R] and out [B, R, width], or one for all,
 * in [width, R] and out [R, width].
 */
export interface LowRank {
  readonly in: Tensor;
  readonly out: Tensor;
  readonly scaling: number;
}

/** Low-rank changes of one block (spec §3.6). The feed-forward's acts on its 4 D hidden units, before the activation. */
export interface LoraModulator {
  readonly kind: 'lora';
  readonly query: LowRank;
  readonly value: LowRank;
  readonly hidden: LowRank;
}

/**
 * Fetches the selected rows of the pool and lays them out for each block.
 *
 * @param selected [B] int32
 */
export function gatherLora(
  parameters: ParameterRecord,
  selected: Tensor,
  { model, scaling }: { readonly model: ModelConfig; readonly scaling: number },
): LoraModulator[] {
  const inPool = parameter(parameters, LORA_IN_NAME);
  const outPool = parameter(parameters, LORA_OUT_NAME);
  // Laying out costs copies: do it on whichever is smaller, the pool or the selection.
  const poolFirst = inPool.shape[0] < selected.shape[0];
  // One row is the same for all windows: its products need no matrices of their own for each.
  const isShared = inPool.shape[0] === 1;
  const pick = (x: Tensor): Tensor => (isShared ? x : gather(x, selected));
  const matrix = (x: Tensor): Tensor => (isShared ? reshape(x, x.shape.slice(1)) : x);
  const inBlocks = split(poolFirst ? inPool : pick(inPool), model.blocks, 1);
  const outBlocks = split(poolFirst ? outPool : pick(outPool), model.blocks, 1);
  return inBlocks.map((inBlock, block) => {
    const ins = layOut(inBlock, 'in');
    const outs = layOut(outBlocks[block]!, 'out');
    const pair = (slot: 0 | 1 | 2): LowRank => ({
      in: matrix(poolFirst ? pick(ins[slot]) : ins[slot]),
      out: matrix(poolFirst ? pick(outs[slot]) : outs[slot]),
      scaling,
    });
    return { kind: 'lora', query: pair(0), value: pair(1), hidden: pair(2) };
  });
}

/**
 * The changes that every window shares. Their tables hold all slots of a block one after the other, transposed against the
 * pool's, and are blocked on both sides of the feed-forward: unit D j + d is slot 2 + j, row or column d (spec §4).
 */
export function sharedLora(
  parameters: ParameterRecord,
  { model, rank, scaling }: { readonly model: ModelConfig; readonly rank: number; readonly scaling: number },
): LoraModulator[] {
  const d = model.width;
  const blocks = (name: string, slot: readonly [rows: number, columns: number]): SharedSlots[] => {
    const table = reshape(parameter(parameters, name), [model.blocks, MODULATOR_SLOTS, ...slot]);
    return split(table, model.blocks).map((block) => {
      const [query, value, hidden] = split(reshape(block, [MODULATOR_SLOTS, ...slot]), [1, 1, 4]);
      return { query: reshape(query!, [...slot]), value: reshape(value!, [...slot]), hidden: hidden! };
    });
  };
  const outs = blocks(SINGLE_LORA_OUT_NAME, [d, rank]);
  return blocks(SINGLE_LORA_IN_NAME, [rank, d]).map((ins, block) => {
    const out = outs[block]!;
    return {
      kind: 'lora',
      query: { in: transpose(ins.query), out: transpose(out.query), scaling },
      value: { in: transpose(ins.value), out: transpose(out.value), scaling },
      hidden: {
        in: reshape(transpose(ins.hidden, [0, 2, 1]), [4 * d, rank]),
        out: transpose(reshape(out.hidden, [4 * d, rank])),
        scaling,
      },
    };
  });
}

/** Of one block: two matrices and the four of the feed-forward [4, …]. */
interface SharedSlots {
  readonly query: Tensor;
  readonly value: Tensor;
  readonly hidden: Tensor;
}

/**
 * Slots 0 and 1 are plain matrices. Slots 2..5 make one matrix for the 4 D hidden units, interleaved on the way in (unit 4 d + j
 * is slot 2 + j, row d) but blocked on the way out (unit D j + d is slot 2 + j, column d): the reference's asymmetry (spec §3.6).
 *
 * @param block [n, 1, 6, D, R] for in, [n, 1, 6, R, D] for out
 */
function layOut(block: Tensor, side: 'in' | 'out'): [query: Tensor, value: Tensor, hidden: Tensor] {
  const [count = 0, , , rows = 0, columns = 0] = block.shape;
  const [query, value, hidden] = split(block, [1, 1, 4], 2) as [Tensor, Tensor, Tensor];
  const matrix = (x: Tensor): Tensor => reshape(x, [count, rows, columns]);
  const slotsInside = transpose(reshape(hidden, [count, 4, rows, columns]), [0, 2, 1, 3]); // [n, rows, 4, columns]
  const joined = side === 'in' ? [count, rows * 4, columns] : [count, rows, 4 * columns];
  return [matrix(query), matrix(value), reshape(slotsInside, joined)];
}

export function loraQuery(modulator: LoraModulator, asking: Tensor, query: Tensor): Tensor {
  return addLowRank(query, asking, modulator.query);
}

export function loraValue(modulator: LoraModulator, tokens: Tensor, value: Tensor): Tensor {
  return addLowRank(value, tokens, modulator.value);
}

/** `output + scaling (input in) out`, all [B, ..., width]. */
export function addLowRank(output: Tensor, input: Tensor, change: LowRank): Tensor {
  if (change.in.rank === 3) {
    const ofWindows = input.rank === 3 ? input : reshape(input, [input.shape[0], -1, input.shape[input.rank - 1]!]);
    const changes = matMul(mul(matMul(ofWindows, change.in), change.scaling), change.out);
    return add(output, output.rank === 3 ? changes : reshape(changes, output.shape));
  }
  const rows = reshape(input, [-1, input.shape[input.shape.length - 1]!]);
  return add(output, reshape(matMul(mul(matMul(rows, change.in), change.scaling), change.out), output.shape));
}
