import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { selectForTraining } from '../../../agent/learning/loss.ts';
import { countBatch, emptyCounts, switchTask } from '../../../agent/modulation/counts.ts';
import { modulatorsOf, penalise, type Routing } from '../../../agent/modulation/match.ts';
import { gatherModulators } from '../../../agent/modulation/modulator.ts';
import { dispose, tensor, tidy, type Tensor } from '../../../agent/ops.ts';
import { actionLogits, decodePredicting } from '../../../agent/transformer/decoder.ts';
import { embedWindow } from '../../../agent/transformer/embedding.ts';
import { readParameters, type ParameterRecord } from '../../../agent/weights/names.ts';
import { startBackend, TEST_BACKENDS } from '../../unit/agent/support/backend.ts';
import { GOLDEN_MODEL, goldenBatch, goldenCase, goldenMeta, numbersOf } from './golden-case.ts';

const TOLERANCE = 1e-5;

describe.each(TEST_BACKENDS)('selection while learning on backend %s', (backend) => {
  beforeAll(() => startBackend(backend));

  describe.each(['l2m_lora', 'l2m_ia3'] as const)('%s: two batches of task 0, the switch, one of task 1', (name) => {
    const { config, weights, expected } = goldenCase(name);
    let parameters: ParameterRecord;
    let batch: ReturnType<typeof goldenBatch>;

    beforeAll(() => {
      parameters = readParameters(weights, config);
      batch = goldenBatch();
    });
    afterAll(() => dispose([...Object.values(parameters), ...(Object.values(batch) as Tensor[])]));

    const select = (routing: Routing): Int32Array =>
      tidy(() => selectForTraining(parameters, batch, { ...config, routing })!.selectedKeys.dataSync<'int32'>());

    it('follows the reference in selections, counts and penalised similarity', () => {
      const wanted = numbersOf(expected, 'train.selected');
      const first = select({});
      const second = select({});
      expect([...first, ...second]).toEqual(wanted.slice(0, 12));
      let usage = countBatch(countBatch(emptyCounts(8), first), second);
      expectClose(usage.counts, numbersOf(expected, 'train.counts_after_task0'));

      usage = switchTask(usage);
      expectClose(usage.inverseCounts, numbersOf(expected, 'train.inv_counts'));
      const routing = { inverseCounts: tensor(usage.inverseCounts) };
      const third = select(routing);
      expect([...third]).toEqual(wanted.slice(12));
      const penalised = tidy(() => {
        const { similarity } = selectForTraining(parameters, batch, { ...config, routing })!;
        return penalise(similarity, routing.inverseCounts).dataSync();
      });
      expectClose(penalised, numbersOf(expected, 'train.similarity_task1'));
      routing.inverseCounts.dispose();
      usage = countBatch(usage, third);
      expectClose(usage.counts, numbersOf(expected, 'train.counts_after_task1_step'));
    });

    it('modulates by the keys that the penalty left', () => {
      const keys = numbersOf(expected, 'train.selected').slice(12);
      const logits = tidy(() => {
        const selected = modulatorsOf(tensor(Int32Array.from(keys), [6], 'int32'), {});
        const modulators = gatherModulators(parameters, selected, config);
        const tokens = embedWindow(parameters, batch, GOLDEN_MODEL);
        const hidden = decodePredicting(parameters, { tokens, stepMask: batch.stepMask, modulators }, GOLDEN_MODEL);
        return actionLogits(parameters, hidden).dataSync();
      });
      const wanted = numbersOf(expected, 'train.logits_task1');
      const { valid_steps: validSteps } = goldenMeta();
      validSteps.forEach((valid, window) => {
        const [from, to] = [(window * 5 + 5 - valid) * 6 * 64, (window + 1) * 5 * 6 * 64];
        expectClose(logits.slice(from, to), wanted.slice(from, to));
      });
    });
  });
});

function expectClose(actual: ArrayLike<number>, wanted: readonly number[]): void {
  expect(actual.length).toBe(wanted.length);
  const worst = wanted.reduce((most, value, i) => Math.max(most, Math.abs(value - actual[i]!)), 0);
  expect(worst).toBeLessThan(TOLERANCE);
}
