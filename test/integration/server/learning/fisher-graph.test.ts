import { beforeAll, describe, expect, test } from 'vitest';
import { REFERENCE_DROPOUT, dropoutKeys } from '../../../../agent/learning/dropout.ts';
import { REFERENCE_FISHER } from '../../../../agent/learning/fisher.ts';
import {
  REFERENCE_PENALTY,
  activeAnchors,
  anchorsAfterTask,
  type Anchor,
  type PenaltySettings,
} from '../../../../agent/learning/penalty.ts';
import { randomSource } from '../../../../agent/random.ts';
import { initialArrays } from '../../../../agent/weights/initialise.ts';
import { anchorOfTask } from '../../../../server/learning/fisher-graph.ts';
import { wholeModel, type LearningMethod } from '../../../../server/learning/learning-method.ts';
import { TrainingTensors } from '../../../../server/learning/training-tensors.ts';
import { compileUpdate } from '../../../../server/learning/update-graph.ts';
import { startBackend } from '../../../../server/tensors/backend.ts';
import { SMALL_TRAINING_MODEL as model, randomTrainingBatch } from './small-training.ts';

beforeAll(() => startBackend({ backend: 'auto', threadCount: 1, xla: false }));

const fresh = () =>
  TrainingTensors.fromWeights(
    wholeModel(model).trainable,
    initialArrays({ model, modulation: { kind: 'none' } }, randomSource(3)),
  );

interface Choices {
  readonly method?: LearningMethod;
  readonly capture?: boolean;
  readonly kind?: PenaltySettings['kind'];
}

function anchorOf(
  tensors: TrainingTensors,
  { method = wholeModel(model), capture = true, kind = 'ewc' }: Choices = {},
): Anchor {
  let batch = 0;
  return anchorOfTask(
    tensors,
    {
      ...{ model, batchSize: 4, method, rewardScale: 200, compile: { capture } },
      penalty: { ...REFERENCE_PENALTY, kind },
      fisher: { ...REFERENCE_FISHER, batches: 3 },
    },
    { nextBatch: () => randomTrainingBatch(4, 20 + batch++), dropoutKeys: (n) => dropoutKeys(randomSource(n)) },
  );
}

const numbers = ({ importances }: Anchor) => importances.flatMap((each) => [...each.dataSync()]);

describe('what is remembered of a task', () => {
  test('is the same as a graph and operation by operation, with dropout and an earlier anchor', () => {
    const tensors = fresh();
    const method: LearningMethod = {
      ...wholeModel(model),
      dropout: REFERENCE_DROPOUT,
      penalty: { anchors: [anchorOf(fresh())], strength: 400 },
    };
    const [captured, eager] = [anchorOf(tensors, { method }), anchorOf(tensors, { method, capture: false })].map(
      numbers,
    );
    const largest = Math.max(...eager!);
    expect(largest).toBeGreaterThan(0);
    captured!.forEach((value, i) => expect(Math.abs(value - eager![i]!)).toBeLessThan(1e-5 * largest));
    // Its weights are copies that outlive the next update.
    const anchor = anchorOf(tensors);
    const before = anchor.weights.map((each) => each.dataSync()[0]!);
    const update = compileUpdate({ model, batchSize: 4, accumulate: 1, weightDecay: 0.01 });
    update.run(tensors, { number: 1, learningRate: 0.1 }, () => randomTrainingBatch(4, 1));
    update.dispose();
    expect(anchor.weights.map((each) => each.dataSync()[0]!)).toEqual(before);
  });

  test.each(['ewc', 'l2'] as const)('keeps weights near: %s', (kind) => {
    const distances = [0, 4000].map((strength) => {
      const tensors = fresh();
      const ended = anchorOf(tensors, { kind });
      const anchors = activeAnchors(anchorsAfterTask([], ended, REFERENCE_PENALTY), 1, REFERENCE_PENALTY);
      const method = { ...wholeModel(model), penalty: { anchors, strength } };
      const update = compileUpdate({ model, batchSize: 4, accumulate: 1, weightDecay: 0, method });
      const penalties = Array.from({ length: 25 }, (_, i) => {
        const batch = randomTrainingBatch(4, 1);
        return update.run(tensors, { number: i + 1, learningRate: 3e-3 }, () => batch).penalty;
      });
      update.dispose();
      expect(penalties[0]).toBe(0);
      if (strength > 0) expect(penalties.at(-1)).toBeGreaterThan(0);
      // Distance weighted by importance: what the penalty is about.
      const moved = Object.values(tensors.parameters).map((weight, i) => {
        const away = weight.sub(ended.weights[i]!).square().mul(ended.importances[i]!).sum();
        return away.dataSync()[0]!;
      });
      return moved.reduce((sum, each) => sum + each, 0);
    });
    expect(distances[1]).toBeLessThan(distances[0]! / 2);
  });
});
