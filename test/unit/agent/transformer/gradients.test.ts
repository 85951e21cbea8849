import { beforeAll, describe, expect, it } from 'vitest';
import { meanCrossEntropy } from '../../../../agent/learning/cross-entropy.ts';
import { mul, sumAll, tensor, tidy, valueAndGrads, type Scalar, type Tensor } from '../../../../agent/ops.ts';
import { randomSource } from '../../../../agent/random.ts';
import { gelu } from '../../../../agent/transformer/gelu.ts';
import { layerNorm } from '../../../../agent/transformer/layer-norm.ts';
import { startBackend, TEST_BACKENDS } from '../support/backend.ts';

const random = randomSource(4);
const draw = (count: number): Float32Array => Float32Array.from({ length: count }, () => random.normal());

/** Largest difference between the written-out gradient and central differences, entry by entry. */
function gradientError(
  f: (...inputs: Tensor[]) => Tensor,
  inputs: readonly { data: Float32Array; shape: number[] }[],
): number {
  return tidy(() => {
    const tensors = inputs.map(({ data, shape }) => tensor(data, shape));
    const { grads } = valueAndGrads((...xs: Tensor[]) => f(...xs) as Scalar)(tensors);
    const step = 1 / 64;
    let worst = 0;
    inputs.forEach(({ data, shape }, which) => {
      const gradient = grads[which]!.dataSync();
      expect(grads[which]!.shape).toEqual(shape);
      for (let i = 0; i < data.length; i++) {
        const at = (shift: number): number => {
          const moved = data.with(i, data[i]! + shift);
          return f(...tensors.map((x, k) => (k === which ? tensor(moved, shape) : x))).dataSync()[0]!;
        };
        // Fourth-order differences: single precision leaves no room for a smaller step.
        const slope = (8 * (at(step) - at(-step)) - (at(2 * step) - at(-2 * step))) / (12 * step);
        worst = Math.max(worst, Math.abs(slope - gradient[i]!));
      }
    });
    return worst;
  });
}

describe.each(TEST_BACKENDS)('written-out gradients on backend %s', (backend) => {
  beforeAll(() => startBackend(backend));

  it('of layer norm agree with differences', () => {
    const weights = tensor(draw(12), [3, 4]);
    const f = (x: Tensor, weight: Tensor, bias: Tensor): Tensor =>
      sumAll(mul(layerNorm({ 'n.weight': weight, 'n.bias': bias }, x, 'n'), weights));
    const inputs = [
      { data: draw(12), shape: [3, 4] },
      { data: draw(4), shape: [4] },
      { data: draw(4), shape: [4] },
    ];
    expect(gradientError(f, inputs)).toBeLessThan(2e-3);
  });

  it('of the activation agree with differences', () => {
    const weights = tensor(draw(8), [8]);
    expect(gradientError((x) => sumAll(mul(gelu(x), weights)), [{ data: draw(8), shape: [8] }])).toBeLessThan(1e-3);
  });

  it('of the cross entropy agree with differences, and dropped tokens get none', () => {
    const targets = tensor([1, 0, 3], [3], 'int32');
    const kept = tensor([1, 0, 1]);
    const inputs = [{ data: draw(12), shape: [3, 4] }];
    expect(gradientError((logits) => meanCrossEntropy(logits, targets, kept), inputs)).toBeLessThan(1e-3);
    const gradient = tidy(() => {
      const f = (logits: Tensor): Scalar => meanCrossEntropy(logits, targets, kept) as Scalar;
      return valueAndGrads(f)([tensor(draw(12), [3, 4])]).grads[0]!.dataSync();
    });
    expect(gradient.slice(4, 8).every((value) => value === 0)).toBe(true);
  });

  it('of the cross entropy of nothing are zero, not NaN', () => {
    const loss = tidy(() =>
      meanCrossEntropy(tensor(draw(8), [2, 4]), tensor([1, 2], [2], 'int32'), tensor([0, 0])).dataSync(),
    );
    expect(loss[0]).toBeCloseTo(0, 12);
  });
});
