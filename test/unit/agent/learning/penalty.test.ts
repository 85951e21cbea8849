import { beforeAll, describe, expect, it } from 'vitest';
import { fisherPart, REFERENCE_FISHER, type FisherOptions } from '../../../../agent/learning/fisher.ts';
import { lossAndGradients } from '../../../../agent/learning/gradients.ts';
import { policyLoss } from '../../../../agent/learning/loss.ts';
import {
  activeAnchors,
  anchorPenalty,
  anchorsAfterTask,
  equalImportances,
  REFERENCE_PENALTY,
  type Anchor,
} from '../../../../agent/learning/penalty.ts';
import { trainableNames } from '../../../../agent/learning/trainable.ts';
import { scalar, tensor, tidy, type Tensor } from '../../../../agent/ops.ts';
import { randomSource } from '../../../../agent/random.ts';
import { initialiseParameters } from '../../../../agent/weights/initialise.ts';
import { startBackend, TEST_BACKENDS } from '../support/backend.ts';
import { randomBatch, SMALL_MODEL } from '../support/random-batch.ts';

const read = (x: Tensor): number[] => Array.from(x.dataSync());
/** NaN is the largest of all, so that it is below no bound. */
const largest = (values: readonly number[]): number =>
  values.reduce((a, b) => (Number.isNaN(b) || b > a ? b : a), -Infinity);
const anchor = (weights: number[], importances: number[]): Anchor => ({
  weights: [tensor(weights)],
  importances: [importances.length === 1 ? scalar(importances[0]!) : tensor(importances)],
});

describe.each(TEST_BACKENDS)('penalties on backend %s', (backend) => {
  beforeAll(() => startBackend(backend));

  it('are strength x importance x squared distance, with their gradients', () => {
    // By hand: 400 (2 (3-1)² + 0.5 (1-2)²) = 400 x 8.5, gradients 800 x 2 x 2 and 800 x 0.5 x -1.
    const { penalty, gradients } = anchorPenalty([tensor([3, 1])], [anchor([1, 2], [2, 0.5])], 400)!;
    expect(read(penalty)[0]).toBeCloseTo(3400, 3);
    expect(read(gradients[0]!)).toEqual([3200, -400]);
    // L2: importance 1 for all. 10 ((3-1)² + (1-2)²)
    const l2 = anchorPenalty([tensor([3, 1])], [anchor([1, 2], [1])], 10)!;
    expect(read(l2.penalty)[0]).toBeCloseTo(50, 4);
    expect(read(l2.gradients[0]!)).toEqual([40, -20]);
    // Two anchors add up.
    const both = anchorPenalty([tensor([3, 1])], [anchor([1, 2], [1]), anchor([0, 1], [2])], 1)!;
    expect(read(both.penalty)[0]).toBeCloseTo(5 + 18, 4);
    expect(read(both.gradients[0]!)).toEqual([4 + 12, -2]);
  });

  it('do not exist before the first switch of tasks, nor before their first task', () => {
    expect(anchorPenalty([tensor([1])], [], 400)).toBeNull();
    const anchors = [anchor([1], [1])];
    expect(activeAnchors(anchors, 0, REFERENCE_PENALTY)).toEqual([]);
    expect(activeAnchors(anchors, 1, REFERENCE_PENALTY)).toBe(anchors);
    expect(activeAnchors(anchors, 1, { ...REFERENCE_PENALTY, firstTask: 2 })).toEqual([]);
  });

  it('keep the latest anchor, all anchors, or one with decaying importances', () => {
    const [first, second, third] = [anchor([1], [4]), anchor([2], [6]), anchor([3], [8])];
    const after = (settings: Partial<typeof REFERENCE_PENALTY>) =>
      [first, second, third].reduce<readonly Anchor[]>(
        (anchors, ended) => anchorsAfterTask(anchors, ended, { ...REFERENCE_PENALTY, ...settings }),
        [],
      );
    expect(after({})).toEqual([third]);
    expect(after({ keepEarlierAnchors: true })).toEqual([first, second, third]);
    const online = after({ mode: 'online', decay: 0.5 });
    expect(online).toHaveLength(1);
    expect(read(online[0]!.weights[0]!)).toEqual([3]);
    // (4 / 2 + 6) / 2 + 8
    expect(read(online[0]!.importances[0]!)).toEqual([12]);
    expect(equalImportances([tensor([1, 2])]).map(read)).toEqual([[1]]);
  });

  describe('Fisher information', () => {
    const config = { model: SMALL_MODEL, modulation: { kind: 'none' } } as const;
    const names = trainableNames('model', config);
    const base = { ...config, pullWeight: 0, routing: {}, trainableNames: names };
    const plain = { batches: 2, includesPenalty: false, countsPaddedActions: false, unscaledReturns: false };
    const setUp = () => ({
      parameters: initialiseParameters(config, randomSource(1)),
      batches: [2, 3].map((seed) => randomBatch(SMALL_MODEL, 3, randomSource(seed))),
    });
    const options = (fisher: Partial<FisherOptions['fisher']>, anchors: readonly Anchor[] = []): FisherOptions => ({
      ...base,
      ...{ fisher: { ...plain, ...fisher }, rewardScale: 100, anchors, strength: 3 },
    });

    it('is the mean over batches of the squared gradient of the mean loss', () => {
      const { parameters, batches } = setUp();
      tidy(() => {
        const parts = batches.map((batch) => fisherPart(parameters, batch, options({})));
        const gradients = batches.map((batch) => lossAndGradients(parameters, batch, base).gradients.map(read));
        names.forEach((_, i) => {
          const [one, two] = [read(parts[0]![i]!), read(parts[1]![i]!)];
          const excesses = one.map((value, k) => {
            const wanted = (gradients[0]![i]![k]! ** 2 + gradients[1]![i]![k]! ** 2) / 2;
            return Math.abs(value + two[k]! - wanted) - 1e-5 * wanted;
          });
          expect(largest(excesses)).toBeLessThan(1e-6);
        });
      });
    });

    it('agrees with differences of the loss', () => {
      const { parameters, batches } = setUp();
      const name = 'action_net.0.bias';
      const which = names.indexOf(name);
      tidy(() => {
        const fisher = read(fisherPart(parameters, batches[0]!, options({ batches: 1 }))[which]!);
        const values = parameters[name]!.dataSync<'float32'>();
        const lossAt = (k: number, shift: number): number => {
          const moved = tensor(values.with(k, values[k]! + shift));
          const result = policyLoss({ ...parameters, [name]: moved }, batches[0]!, { ...base, selectedKeys: null });
          return result.loss.dataSync()[0]!;
        };
        fisher.forEach((value, k) => {
          const slope = (lossAt(k, 0.05) - lossAt(k, -0.05)) / 0.1;
          expect(Math.abs(value - slope ** 2)).toBeLessThan(2e-4);
        });
      });
    });

    it('follows the reference in the penalty, the padded actions and the unscaled returns, each of which can be left out', () => {
      expect(REFERENCE_FISHER).toMatchObject({ batches: 10, includesPenalty: true, countsPaddedActions: true });
      expect(REFERENCE_FISHER.unscaledReturns).toBe(true);
      const { parameters, batches } = setUp();
      const batch = batches[0]!;
      const weights = names.map((name) => parameters[name]!);
      const moved: Anchor = {
        weights: weights.map((weight) => weight.add(0.5)),
        importances: equalImportances(weights),
      };
      tidy(() => {
        const gradients = lossAndGradients(parameters, batch, base).gradients.map(read);
        const withPenalty = fisherPart(parameters, batch, options({ batches: 1, includesPenalty: true }, [moved]));
        // 2 x strength 3 x importance 1 x -0.5
        names.forEach((_, i) =>
          expect(
            largest(read(withPenalty[i]!).map((value, k) => Math.abs(value - (gradients[i]![k]! - 3) ** 2))),
          ).toBeLessThan(1e-3),
        );
        const without = fisherPart(parameters, batch, options({ batches: 1 }, [moved]));
        names.forEach((_, i) =>
          expect(largest(read(without[i]!).map((value, k) => Math.abs(value - gradients[i]![k]! ** 2)))).toBeLessThan(
            1e-5,
          ),
        );

        // The random batch masks the last of three dimensions; its target becomes the token of action 0, 4 of 8.
        const padded = fisherPart(parameters, batch, options({ batches: 1, countsPaddedActions: true }));
        const targets = batch.targetTokens.arraySync() as number[][][];
        const byHand = {
          ...batch,
          targetTokens: tensor(
            targets.flat(2).map((token, i) => (i % 3 === 2 ? 4 : token)),
            batch.targetTokens.shape as number[],
            'int32',
          ),
          actionMask: tensor(new Float32Array(batch.actionMask.size).fill(1), batch.actionMask.shape as number[]),
        };
        const wanted = lossAndGradients(parameters, byHand, base).gradients.map(read);
        names.forEach((_, i) =>
          expect(largest(read(padded[i]!).map((value, k) => Math.abs(value - wanted[i]![k]! ** 2)))).toBeLessThan(1e-5),
        );

        const unscaled = fisherPart(parameters, batch, options({ batches: 1, unscaledReturns: true }));
        const raw = { ...batch, returnsToGo: batch.returnsToGo.mul(100), rewards: batch.rewards.mul(100) };
        const rawGradients = lossAndGradients(parameters, raw, base).gradients.map(read);
        names.forEach((_, i) =>
          expect(
            largest(read(unscaled[i]!).map((value, k) => Math.abs(value - rawGradients[i]![k]! ** 2))),
          ).toBeLessThan(1e-4),
        );
      });
    });
  });
});
