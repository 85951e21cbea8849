import { tensor, type Tensor } from '@tensorflow/tfjs-core';
import type { ModelConfig } from '../../agent/config.ts';
import { QUERY_SCALE_NAME, QUERY_SHIFT_NAME } from '../../agent/weights/names.ts';
import type { WeightArrays } from '../checkpoints/weights-file.ts';
import { queriesOf } from '../learning/query-graph.ts';
import type { TensorRecord } from '../learning/tensor-record.ts';
import type { WindowSampler } from '../learning/window-sampler.ts';
import type { ContinualSettings } from './continual-options.ts';

/** Keeps dimensions that hardly vary from being blown up, as for standardised states. */
const LEAST_DEVIATION = 0.01;

export interface QueryTableOptions {
  readonly model: ModelConfig;
  /** Weights of the frozen model. */
  readonly parameters: TensorRecord;
  readonly settings: Pick<ContinualSettings, 'queryWindows' | 'batchSize'>;
}

/**
 * Mean and scale of each dimension of the queries over the pre-training, every task with an equal share: what all windows have in common no
 * longer decides their cosines. Of the pre-training alone, so that a later task cannot move what an earlier one has learned.
 */
export function queryTable(
  samplers: readonly WindowSampler[],
  { model, parameters, settings }: QueryTableOptions,
): WeightArrays {
  const { queryWindows: windows, batchSize } = settings;
  const { width } = model;
  const parts = samplers.map((sampler) =>
    queriesOf(sampler, { model, parameters, windows, batchSize, compile: { xla: false } }),
  );
  const count = parts.reduce((sum, part) => sum + part.length / width, 0);
  const sums = (of: (value: number, dimension: number) => number): Float64Array => {
    const total = new Float64Array(width);
    for (const part of parts) {
      part.forEach((value, i) => {
        const dimension = i % width;
        total[dimension] = (total[dimension] ?? 0) + of(value, dimension);
      });
    }
    return total.map((sum) => sum / Math.max(1, count));
  };
  const mean = sums((value) => value);
  const variance = sums((value, dimension) => (value - (mean[dimension] ?? 0)) ** 2);
  const scale = variance.map((value) => 1 / (Math.sqrt(value) + LEAST_DEVIATION));
  return new Map([
    [QUERY_SHIFT_NAME, { shape: [width], data: Float32Array.from(mean) }],
    [QUERY_SCALE_NAME, { shape: [width], data: Float32Array.from(scale) }],
  ]);
}

/** The table of a pool as tensors, owned by the caller; nothing where queries are not standardised. */
export function tableTensors(pool: WeightArrays): Record<string, Tensor> {
  const found = [QUERY_SHIFT_NAME, QUERY_SCALE_NAME].flatMap((name) => {
    const array = pool.get(name);
    return array === undefined ? [] : [[name, tensor(array.data, [...array.shape], 'float32')] as const];
  });
  return Object.fromEntries(found);
}
