import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { lossAndGradients } from '../../../agent/learning/gradients.ts';
import { policyLoss, selectForTraining } from '../../../agent/learning/loss.ts';
import { trainableNames } from '../../../agent/learning/trainable.ts';
import { modulatorsOf } from '../../../agent/modulation/match.ts';
import { gatherModulators } from '../../../agent/modulation/gather.ts';
import { dispose, tidy, type Tensor } from '../../../agent/ops.ts';
import { actionLogits, decodeAll, decodePredicting } from '../../../agent/transformer/decoder.ts';
import { embedWindow } from '../../../agent/transformer/embedding.ts';
import { readParameters, type ParameterRecord } from '../../../agent/weights/names.ts';
import { startBackend, TEST_BACKENDS } from '../../unit/agent/support/backend.ts';
import { GOLDEN_MODEL, GOLDEN_NAMES, goldenBatch, goldenCase, goldenMeta, numbersOf } from './golden-case.ts';

const { actionSize, bins, width } = GOLDEN_MODEL;
const TOLERANCE = 1e-5;

/** Largest distance over the steps that are not padding; `perStep` numbers a step. */
function worstAtRealSteps(actual: ArrayLike<number>, expected: readonly number[], perStep: number): number {
  const { valid_steps: validSteps } = goldenMeta();
  let worst = 0;
  validSteps.forEach((valid, window) => {
    const steps = GOLDEN_MODEL.context;
    for (let i = (window * steps + steps - valid) * perStep; i < (window + 1) * steps * perStep; i++) {
      worst = Math.max(worst, Math.abs(actual[i]! - expected[i]!));
    }
  });
  return worst;
}

function worst(actual: ArrayLike<number>, expected: readonly number[]): number {
  expect(actual.length).toBe(expected.length);
  return expected.reduce((most, value, i) => Math.max(most, Math.abs(value - actual[i]!)), 0);
}

describe.each(TEST_BACKENDS)('reference numbers on backend %s', (backend) => {
  beforeAll(() => startBackend(backend));

  describe.each(GOLDEN_NAMES)('%s', (name) => {
    const { config, weights, expected } = goldenCase(name);
    const base = { ...config, pullWeight: 0.5, routing: {} };
    let parameters: ParameterRecord;
    let batch: ReturnType<typeof goldenBatch>;

    beforeAll(() => {
      parameters = readParameters(weights, config);
      batch = goldenBatch();
    });
    afterAll(() => dispose([...Object.values(parameters), ...(Object.values(batch) as Tensor[])]));

    const select = (): Tensor | null => selectForTraining(parameters, batch, base)?.selectedKeys ?? null;
    const forward = (): { tokens: Tensor; modulators: ReturnType<typeof gatherModulators> } => {
      const keys = select();
      const modulators = gatherModulators(parameters, keys === null ? null : modulatorsOf(keys, {}), config);
      return { tokens: embedWindow(parameters, batch, GOLDEN_MODEL), modulators };
    };

    it('gives the same hidden states', () => {
      const actual = tidy(() => decodeAll(parameters, { ...forward(), stepMask: batch.stepMask }, GOLDEN_MODEL).dataSync());
      expect(worstAtRealSteps(actual, numbersOf(expected, 'last_hidden'), (actionSize + 3) * width)).toBeLessThan(TOLERANCE);
    });

    it('gives the same action logits, whether or not the last block computes the other tokens', () => {
      const actual = tidy(() => {
        const hidden = decodePredicting(parameters, { ...forward(), stepMask: batch.stepMask }, GOLDEN_MODEL);
        return actionLogits(parameters, hidden).dataSync();
      });
      expect(worstAtRealSteps(actual, numbersOf(expected, 'action_logits'), actionSize * bins)).toBeLessThan(TOLERANCE);
    });

    it('gives the same loss and cross entropy', () => {
      const { loss, crossEntropy } = tidy(() => {
        const result = policyLoss(parameters, batch, { ...base, selectedKeys: select() });
        return { loss: result.loss.dataSync()[0]!, crossEntropy: result.crossEntropy.dataSync()[0]! };
      });
      expect(Math.abs(loss - numbersOf(expected, 'loss')[0]!)).toBeLessThan(TOLERANCE);
      expect(Math.abs(crossEntropy - numbersOf(expected, 'cross_entropy')[0]!)).toBeLessThan(TOLERANCE);
    });

    it('gives the same gradients', () => {
      const names = trainableNames(name === 'mddt' ? 'model' : 'pool', config);
      const expectedNames = [...expected.keys()].filter((key) => key.startsWith('grad.')).map((key) => key.slice(5));
      expect([...names].sort()).toEqual(expectedNames.sort());
      const result = lossAndGradients(parameters, batch, { ...base, trainableNames: names });
      const relative = names.map((weight, i) => {
        const wanted = numbersOf(expected, `grad.${weight}`);
        const largest = wanted.reduce((most, value) => Math.max(most, Math.abs(value)), 1e-12);
        return { weight, error: worst(result.gradients[i]!.dataSync(), wanted) / largest };
      });
      dispose([result.loss, result.crossEntropy, result.similarity, ...result.gradients]);
      result.selectedKeys?.dispose();
      expect(relative.filter(({ error }) => !(error < TOLERANCE))).toEqual([]);
    });
  });
});
