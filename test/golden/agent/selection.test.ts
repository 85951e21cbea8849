import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { isPool, selectedCount, type PoolModulation } from '../../../agent/config.ts';
import { selectForTraining } from '../../../agent/learning/loss.ts';
import { countBatch, emptyCounts, switchTask } from '../../../agent/modulation/counts.ts';
import { modulatorsOf, penalise, type Routing } from '../../../agent/modulation/match.ts';
import { gatherModulators } from '../../../agent/modulation/gather.ts';
import { dispose, tensor, tidy, type Tensor } from '../../../agent/ops.ts';
import { actionLogits, decodePredicting } from '../../../agent/transformer/decoder.ts';
import { embedWindow } from '../../../agent/transformer/embedding.ts';
import { readParameters, type ParameterRecord } from '../../../agent/weights/names.ts';
import { startBackend, TEST_BACKENDS } from '../../unit/agent/support/backend.ts';
import {
  GOLDEN_MODEL,
  GOLDEN_NAMES,
  GOLDEN_WINDOWS,
  goldenBatch,
  goldenCase,
  goldenMeta,
  numbersOf,
  type GoldenName,
} from './golden-case.ts';

const TOLERANCE = 1e-5;
/** Numbers of one window. */
const PER_WINDOW = GOLDEN_MODEL.context * GOLDEN_MODEL.actionSize * GOLDEN_MODEL.bins;

const isPooled = (name: GoldenName): boolean => isPool(goldenCase(name).config.modulation);

describe.each(TEST_BACKENDS)('selection while learning on backend %s', (backend) => {
  beforeAll(() => startBackend(backend));

  describe.each(GOLDEN_NAMES.filter(isPooled))('%s: two batches of task 0, the switch, one of task 1', (name) => {
    const { config, weights, expected } = goldenCase(name);
    const modulation = config.modulation as PoolModulation;
    const perForward = GOLDEN_WINDOWS * selectedCount(modulation);
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
      expect([...first, ...second]).toEqual(wanted.slice(0, 2 * perForward));
      let usage = countBatch(countBatch(emptyCounts(modulation.keyCount), first), second);
      expectClose(usage.counts, numbersOf(expected, 'train.counts_after_task0'));

      usage = switchTask(usage);
      expectClose(usage.inverseCounts, numbersOf(expected, 'train.inv_counts'));
      const routing = { inverseCounts: tensor(usage.inverseCounts) };
      const third = select(routing);
      expect([...third]).toEqual(wanted.slice(2 * perForward));
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
      const keys = numbersOf(expected, 'train.selected').slice(2 * perForward);
      const logits = tidy(() => {
        const shape = perForward === GOLDEN_WINDOWS ? [GOLDEN_WINDOWS] : [GOLDEN_WINDOWS, perForward / GOLDEN_WINDOWS];
        const selected = modulatorsOf(tensor(Int32Array.from(keys), shape, 'int32'), {});
        const modulators = gatherModulators(parameters, selected, config);
        const tokens = embedWindow(parameters, batch, GOLDEN_MODEL);
        const hidden = decodePredicting(parameters, { tokens, stepMask: batch.stepMask, modulators }, GOLDEN_MODEL);
        return actionLogits(parameters, hidden).dataSync();
      });
      const wanted = numbersOf(expected, 'train.logits_task1');
      const { valid_steps: validSteps } = goldenMeta();
      validSteps.forEach((valid, window) => {
        const to = (window + 1) * PER_WINDOW;
        const from = to - (PER_WINDOW / GOLDEN_MODEL.context) * valid;
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
