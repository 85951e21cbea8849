import type { ModelConfig } from '../config.ts';
import { add, gather, matMul, mul, reshape, split, transpose, type Tensor } from '../ops.ts';
import { LORA_IN_NAME, LORA_OUT_NAME, parameter, type ParameterRecord } from '../weights/names.ts';

/** `x -> scaling (x in) out`, one pair for each window: in [B, width, R], out [B, R, width]. */
interface LowRank {
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
  const pick = (x: Tensor): Tensor => gather(x, selected);
  const inBlocks = split(poolFirst ? inPool : pick(inPool), model.blocks, 1);
  const outBlocks = split(poolFirst ? outPool : pick(outPool), model.blocks, 1);
  return inBlocks.map((inBlock, block) => {
    const ins = layOut(inBlock, 'in');
    const outs = layOut(outBlocks[block]!, 'out');
    const pair = (slot: 0 | 1 | 2): LowRank => ({
      in: poolFirst ? pick(ins[slot]) : ins[slot],
      out: poolFirst ? pick(outs[slot]) : outs[slot],
      scaling,
    });
    return { kind: 'lora', query: pair(0), value: pair(1), hidden: pair(2) };
  });
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

/** `output + scaling (input in) out`, all [B, N, width]. */
export function addLowRank(output: Tensor, input: Tensor, change: LowRank): Tensor {
  return add(output, matMul(mul(matMul(input, change.in), change.scaling), change.out));
}
