import { describe, expect, it } from 'vitest';
import { MODEL_PRESETS, PAPER_MODULATION, PAPER_OPTIONS } from '../../../../agent/config.ts';
import { randomSource } from '../../../../agent/random.ts';
import { initialArrays, initialiseParameters } from '../../../../agent/weights/initialise.ts';
import { modelShapes } from '../../../../agent/weights/names.ts';
import { DecisionGraphs } from '../../../../server/inference/decision-graphs.ts';
import { TrainingTensors } from '../../../../server/learning/training-tensors.ts';
import { compileUpdate } from '../../../../server/learning/update-graph.ts';
import { startBackend } from '../../../../server/tensors/backend.ts';
import { NO_CUDA, WHY_NO_CUDA } from '../../../support/cuda.ts';
import { randomBatch } from '../../../support/random-batch.ts';
import { randomWindows } from '../../../support/random-windows.ts';

const model = { ...MODEL_PRESETS.tiny, width: 64, blocks: 2 };
const config = { model, modulation: PAPER_MODULATION, options: PAPER_OPTIONS };

describe.runIf(NO_CUDA === null)(`the server's graphs on CUDA${WHY_NO_CUDA}`, () => {
  it('decide, exchange the pool without compiling, and learn', async () => {
    await startBackend({ backend: 'tensorflow-cuda', xla: false });
    const graphs = new DecisionGraphs(initialiseParameters(config, randomSource(1)), config, {
      ...{ maxBatch: 8, progress: () => undefined },
    });
    const windows = { count: 8, actionDimensions: 4, ...randomWindows(model, 8) };
    const before = await graphs.decide(windows);
    graphs.exchangePool(initialiseParameters(config, randomSource(2)));
    const after = await graphs.decide(windows);
    expect(after.actionTokens).toHaveLength(32);
    expect(after.selected).not.toEqual(before.selected);
    graphs.dispose();

    const update = compileUpdate({ model, batchSize: 8, accumulate: 1, weightDecay: 0.01 });
    const arrays = initialArrays({ model, modulation: { kind: 'none' } }, randomSource(1));
    const tensors = TrainingTensors.fromWeights(modelShapes(model), arrays);
    const batch = randomBatch(model, 8);
    const losses = Array.from(
      { length: 20 },
      (_, i) => update.run(tensors, { number: i + 1, learningRate: 1e-2 }, () => batch).loss,
    );
    expect(losses.at(-1)).toBeLessThan(losses[0]! / 2);
  });
});
