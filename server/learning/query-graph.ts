import type { ModelConfig, QueryVariant } from '../../agent/config.ts';
import { poolQuery } from '../../agent/modulation/query.ts';
import { embedWindow } from '../../agent/transformer/embedding.ts';
import { compile, type CompileOptions } from '../tensors/compile.ts';
import { allocateBatch } from './batch-arrays.ts';
import { batchFromInputs, batchSpecs, inputsFromArrays } from './batch-tensors.ts';
import { tensorNamed, type TensorRecord } from './tensor-record.ts';
import type { WindowSampler } from './window-sampler.ts';

export interface QueryOptions {
  readonly model: ModelConfig;
  /** Absent: the paper's. */
  readonly query?: QueryVariant | undefined;
  /** Weights of the model, and the table of standardised queries. */
  readonly parameters: TensorRecord;
  /** How many windows are asked for; whole batches are drawn. */
  readonly windows: number;
  readonly batchSize: number;
  readonly compile?: CompileOptions;
}

/**
 * What the windows of some data ask a pool with (spec §3.3): the queries that keys are fitted to.
 * @returns [n, D], n at least `windows`; batch 0, 1, … of the sampler
 */
export function queriesOf(sampler: WindowSampler, options: QueryOptions): Float32Array {
  const { model, parameters, query, windows, batchSize } = options;
  const modulation = { kind: 'none' } as const;
  const graph = compile<string, 'query'>(
    (inputs) => {
      const batch = batchFromInputs(inputs);
      const tokens = embedWindow(parameters, batch, model);
      return { query: poolQuery(parameters, { tokens, stepMask: batch.stepMask }, { model, query }) };
    },
    batchSpecs(batchSize, { model, modulation }),
    options.compile,
  );
  const batch = allocateBatch(batchSize, model);
  const queries = new Float32Array(Math.ceil(windows / batchSize) * batchSize * model.width);
  for (let index = 0; index * batchSize < windows; index++) {
    sampler.fill(batch, index);
    const outputs = graph.run(inputsFromArrays(batch, modulation));
    const asked = tensorNamed(outputs, 'query');
    queries.set(asked.dataSync(), index * batchSize * model.width);
    asked.dispose();
  }
  graph.dispose();
  return queries;
}
