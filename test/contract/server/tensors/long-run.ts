/**
 * A process of its own that decides or updates many times and says what it holds before and after. Arguments: `decide` or
 * `update`, XLA or not, times to warm up, times. Prints one line of JSON.
 */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { memory } from '@tensorflow/tfjs-core';
import { MODEL_PRESETS, PAPER_MODULATION, PAPER_OPTIONS, type ModelConfig } from '../../../../agent/config.ts';
import { randomSource } from '../../../../agent/random.ts';
import { initialArrays, initialiseParameters } from '../../../../agent/weights/initialise.ts';
import { modelShapes } from '../../../../agent/weights/names.ts';
import { DecisionGraphs } from '../../../../server/inference/decision-graphs.ts';
import { TrainingTensors } from '../../../../server/learning/training-tensors.ts';
import { compileUpdate } from '../../../../server/learning/update-graph.ts';
import { currentNativeLibrary, startBackend } from '../../../../server/tensors/backend.ts';
import { randomBatch } from '../../../support/random-batch.ts';
import { randomWindows } from '../../../support/random-windows.ts';

const [work, xla, warmUp, times] = process.argv.slice(2);
const model: ModelConfig = { ...MODEL_PRESETS.tiny, width: 32, blocks: 2, heads: 2 };
setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

function decisions(): () => Promise<unknown> {
  const config = { model, modulation: PAPER_MODULATION, options: PAPER_OPTIONS };
  const parameters = initialiseParameters(config, randomSource(1));
  const graphs = new DecisionGraphs(parameters, config, { maxBatch: 1, progress: () => undefined });
  const windows = { count: 1, actionDimensions: 4, ...randomWindows(model, 1) };
  return () => graphs.decide(windows);
}

function updates(): () => Promise<unknown> {
  const graph = compileUpdate({ model, batchSize: 4, accumulate: 1, weightDecay: 0.01 });
  const arrays = initialArrays({ model, modulation: { kind: 'none' } }, randomSource(1));
  const tensors = TrainingTensors.fromWeights(modelShapes(model), arrays);
  const batch = randomBatch(model, 4);
  return () => Promise.resolve(graph.run(tensors, { number: 1, learningRate: 1e-4 }, () => batch));
}

async function repeat(step: () => Promise<unknown>, count: number): Promise<object> {
  for (let i = 0; i < count; i++) {
    await step();
    // Nothing but a turn of the event loop frees what is waiting there.
    if (i % 100 === 0) await new Promise((resolve) => setImmediate(resolve));
  }
  collectGarbage();
  const native = currentNativeLibrary()?.backend.getNumOfTFTensors() ?? 0;
  return { tensors: memory().numTensors, native, residentBytes: process.memoryUsage().rss };
}

await startBackend({ xla: xla === 'true', threadCount: 1 });
const step = work === 'decide' ? decisions() : updates();
const before = await repeat(step, Number(warmUp));
const after = await repeat(step, Number(times));
console.log(JSON.stringify({ before, after }));
