import type { ModelConfig } from '../../agent/config.ts';
import { randomSource } from '../../agent/random.ts';
import { initialArrays } from '../../agent/weights/initialise.ts';
import { modelShapes } from '../../agent/weights/names.ts';
import type { DecisionForm } from '../../server/inference/decision-function.ts';
import { allocateBatch, type BatchArrays } from '../../server/learning/batch-arrays.ts';
import { TrainingTensors } from '../../server/learning/training-tensors.ts';
import { compileUpdate } from '../../server/learning/update-graph.ts';

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
  const batch = randomBatch(model);
  let number = 0;
  return () => {
    number += 1;
    return Promise.resolve(graph.run(tensors, { number, learningRate: 1e-4 }, () => batch).loss);
  };
}

function randomBatch(model: ModelConfig): BatchArrays {
  const random = randomSource(7);
  const batch = allocateBatch(UPDATE_WINDOWS, model);
  for (const values of [batch.states, batch.returnsToGo, batch.rewards]) {
    for (let i = 0; i < values.length; i++) values[i] = random.normal();
  }
  for (const tokens of [batch.actionTokens, batch.targetTokens]) {
    for (let i = 0; i < tokens.length; i++) tokens[i] = random.below(model.bins);
  }
  for (let i = 0; i < batch.timesteps.length; i++) batch.timesteps[i] = i % model.context;
  batch.stepMask.fill(1);
  batch.actionMask.fill(1);
  return batch;
}
