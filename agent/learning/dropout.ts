import { AgentError } from '../agent-error.ts';
import { add, floor, mul, reshape, slice, sub, tensor, type Tensor } from '../ops.ts';
import type { RandomSource } from '../random.ts';
import type { Dropout, DropoutPlace } from '../transformer/dropout.ts';

export type DropoutRates = Readonly<Record<DropoutPlace, number>>;

/** The reference's rates (spec §1.1, §4). They stay on in a frozen backbone while modulators learn (spec §1.7). */
export const REFERENCE_DROPOUT: DropoutRates = { embedding: 0.1, attention: 0.1, residual: 0.1, prompt: 0.1 };

const ROUNDS = 8;
const HALF = 4096;
/** Shape of the keys: a factor and a summand for each round. */
export const DROPOUT_KEYS_SHAPE = [ROUNDS, 2] as const;

/** Keys of one batch, an input of the graph: equal keys give equal masks, on every backend. */
export function dropoutKeys(random: RandomSource): Float32Array {
  return Float32Array.from({ length: 2 * ROUNDS }, (_, i) =>
    i % 2 === 0 ? 2 * random.below(HALF / 2) + 1 : random.below(HALF),
  );
}

/**
 * Dropout whose masks are a function of keys and of the order of its calls alone: a captured graph can repeat it, which it could not with
 * numbers drawn inside. All arithmetic is on whole numbers and fractions that float32 holds exactly, so that neither fused operations nor
 * the backend change a mask.
 *
 * @param keys [8, 2] from `dropoutKeys`
 * @throws AgentError L2M_CONFIG_INVALID for a rate outside 0..1
 */
export function dropoutOf(keys: Tensor, rates: DropoutRates): Dropout {
  for (const [place, rate] of Object.entries(rates)) {
    if (!(rate >= 0 && rate < 1)) throw new AgentError('L2M_CONFIG_INVALID', `dropout.${place} is ${rate}`);
  }
  const rounds = Array.from({ length: ROUNDS }, (_, round) => ({
    factor: reshape(slice(keys, [round, 0], [1, 1]), []),
    summand: reshape(slice(keys, [round, 1], [1, 1]), []),
  }));
  let used = 0;
  return (x, place) => {
    if (rates[place] === 0) return x;
    const columns = x.shape[x.shape.length - 1]!;
    const rows = x.size / columns;
    const numbers = scrambled(used, 2 * (rows + columns), rounds);
    used += 2 * (rows + columns);
    const uniform = reshape(uniformGrid(numbers, rows, columns), x.shape);
    const dropped = Math.round(rates[place] * FINENESS) / FINENESS;
    return mul(x, mul(floor(add(uniform, 1 - dropped)), 1 / (1 - dropped)));
  };
}

/** Rates are rounded to this fraction, so that comparing is exact. */
const FINENESS = 65_536;

interface Round {
  readonly factor: Tensor;
  readonly summand: Tensor;
}

/**
 * Whole numbers first..first + count - 1, each turned into two that look drawn from 0..4095: a Feistel network over 24 bits.
 *
 * @returns high and low halves, [count] each
 */
function scrambled(first: number, count: number, rounds: readonly Round[]): { high: Tensor; low: Tensor } {
  if (first + count > HALF * HALF) {
    throw new AgentError(
      'L2M_CONFIG_INVALID',
      `dropout of a batch that needs ${first + count} numbers, 16777216 exist`,
    );
  }
  const indices = Array.from({ length: count }, (_, i) => first + i);
  let high: Tensor = tensor(Float32Array.from(indices, (index) => Math.floor(index / HALF)));
  let low: Tensor = tensor(Float32Array.from(indices, (index) => index % HALF));
  for (const { factor, summand } of rounds) {
    // At most 4095 x 4095 + 4095, which is below 2^24.
    const mixed = floor(mul(add(mul(low, factor), summand), 1 / 64));
    [high, low] = [low, remainder(add(high, remainder(mixed)))];
  }
  return { high, low };
}

/** x mod 4096 */
function remainder(x: Tensor): Tensor {
  return mul(fraction(mul(x, 1 / HALF)), HALF);
}

function fraction(x: Tensor): Tensor {
  return sub(x, floor(x));
}

/**
 * A number in 0..1 for each row and column, [rows, columns], from a few drawn for each row and each column: a product of two sums, then a
 * square, each with another sum added, all modulo 1. One multiplication alone would show in the correlations of columns.
 */
function uniformGrid({ high, low }: { high: Tensor; low: Tensor }, rows: number, columns: number): Tensor {
  const sums = (numbers: Tensor, begin: number, scale: number): Tensor => {
    const row = reshape(slice(numbers, [begin], [rows]), [rows, 1]);
    const first = 2 * rows + (begin === 0 ? 0 : columns);
    const column = reshape(slice(numbers, [first], [columns]), [1, columns]);
    return add(mul(row, scale), mul(column, scale));
  };
  const quarter = floor(mul(high, 1 / 4));
  const product = mul(sums(low, 0, 1), sums(quarter, 0, 2 ** -17));
  const once = fraction(add(fraction(product), sums(low, rows, 1 / HALF)));
  const whole = floor(mul(once, HALF));
  const squared = mul(mul(whole, add(whole, 1)), 2 ** -18);
  return fraction(add(fraction(squared), sums(high, rows, 1 / HALF)));
}
