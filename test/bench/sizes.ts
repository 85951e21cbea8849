import { MODEL_PRESETS, type ModelConfig } from '../../agent/config.ts';

/** The three widths of the tables. */
export const BENCH_MODELS = {
  '128': MODEL_PRESETS.tiny,
  '256': MODEL_PRESETS.small,
  '768': MODEL_PRESETS.paper,
} as const satisfies Record<string, ModelConfig>;
export type BenchWidth = keyof typeof BENCH_MODELS;

/** `768x6`, as in the tables. */
export function sizeName({ width, blocks }: ModelConfig): string {
  return `${width} × ${blocks}`;
}

/** Comma-separated numbers of a flag, each one of those there are. @throws RangeError */
export function chosenNumbers(text: string, known: readonly number[]): number[] {
  return text.split(',').map((part) => {
    const number = Number(part);
    if (known.includes(number)) return number;
    throw new RangeError(`${part} is not one of ${known.join(', ')}`);
  });
}

/**
 * Floating-point operations of one decision of `d` dimensions for one window: 2 for each multiplication of the matrices that
 * have to be multiplied when nothing is computed twice and the last block only goes on with the newest token. Attention
 * scores and the modulators are left out: 2 % at width 768.
 */
export function decisionOperations(model: ModelConfig, dimensions: number): number {
  const { width, blocks, context, actionSize, bins } = model;
  const known = (context - 1) * (actionSize + 3) + 2;
  const square = width * width;
  const wholeBlocks = 12 * square * (blocks - 1) * known;
  const lastBlock = 2 * square * known + 10 * square;
  const further = 12 * square * blocks * (dimensions - 1);
  return 2 * (wholeBlocks + lastBlock + further + bins * width * dimensions);
}
