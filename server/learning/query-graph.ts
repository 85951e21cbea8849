import type { ModelConfig } from '../../agent/config.ts';
import { windowQuery } from '../../agent/modulation/query.ts';
import { embedWindow } from '../../agent/transformer/embedding.ts';
import { compile, type CompileOptions } from '../tensors/compile.ts';
import { allocateBatch } from './batch-arrays.ts';
import { batchFromInputs, batchSpecs, inputsFromArrays } from './batch-tensors.ts';
import { tensorNamed, type TensorRecord } from './tensor-record.ts';
import type { WindowSampler } from './window-sampler.ts';

export interface QueryOptions {
  readonly model: ModelConfig;
  /** Weights of the model, of which the embedding is read. */
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
  const { model, parameters, windows, batchSize } = options;
  const modulation = { kind: 'none' } as const;
  const graph = compile<string, 'query'>(
    (inputs) => {
      const batch = batchFromInputs(inputs);
      return { query: windowQuery(embedWindow(parameters, batch, model), batch.stepMask) };
    },
    batchSpecs(batchSize, { model, modulation }),
    options.compile,
  );
  const batch = allocateBatch(batchSize, model);
  const queries = new Float32Array(Math.ceil(windows / batchSize) * batchSize * model.width);
  for (let index = 0; index * batchSize < windows; index++) {
    sampler.fill(batch, index);
    const outputs = graph.run(inputsFromArrays(batch, modulation));
    const query = tensorNamed(outputs, 'query');
    queries.set(query.dataSync(), index * batchSize * model.width);
    query.dispose();
  }
  graph.dispose();
  return queries;
}
