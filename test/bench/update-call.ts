import type { ModelConfig } from '../../agent/config.ts';
import { randomSource } from '../../agent/random.ts';
import { initialArrays } from '../../agent/weights/initialise.ts';
import { modelShapes } from '../../agent/weights/names.ts';
import type { DecisionForm } from '../../server/inference/decision-function.ts';
import { TrainingTensors } from '../../server/learning/training-tensors.ts';
import { compileUpdate } from '../../server/learning/update-graph.ts';
import { randomBatch } from '../support/random-batch.ts';

/** What learns: the whole unmodulated model, as the peer's `gradient` does. */
export type UpdateKind = 'pretrain';

/** Windows of one update, as many as the peer's. */
export const UPDATE_WINDOWS = 256;

/** One whole update through the server's own graph: loss, gradients, clipping and AdamW. */
export function updateCall(model: ModelConfig, _kind: UpdateKind, form: DecisionForm): () => Promise<number> {
  const graph = compileUpdate({
    ...{ model, batchSize: UPDATE_WINDOWS, accumulate: 1, weightDecay: 0.01 },
    compile: form === 'auto' ? {} : { xla: form === 'xla' },
  });
  const arrays = initialArrays({ model, modulation: { kind: 'none' } }, randomSource(1));
  const tensors = TrainingTensors.fromWeights(modelShapes(model), arrays);
  const batch = randomBatch(model, UPDATE_WINDOWS);
  let number = 0;
  return () => {
    number += 1;
    return Promise.resolve(graph.run(tensors, { number, learningRate: 1e-4 }, () => batch).loss);
  };
}
