import { add, div, mul, sqrt, square, sub, type Tensor } from '../ops.ts';

/** PyTorch's defaults. */
export const ADAM = { beta1: 0.9, beta2: 0.999, epsilon: 1e-8 } as const;

/** A vector of weights with Adam's moments of it. */
export interface AdamVector {
  readonly values: Tensor;
  readonly first: Tensor;
  readonly second: Tensor;
}

/** Scalars, 1 - beta ^ n for update n = 1, 2, …; tensors, because they change from call to call of one graph. */
export interface BiasCorrections {
  readonly biasCorrection1: Tensor;
  readonly biasCorrection2: Tensor;
}

/** One step of Adam. Unlike `adamwStep` it neither clips nor decays, and has one long vector instead of many arrays. */
export function adamStep(
  state: AdamVector,
  gradient: Tensor,
  { learningRate, corrections }: { learningRate: number; corrections: BiasCorrections },
): AdamVector {
  const { beta1, beta2, epsilon } = ADAM;
  const first = add(mul(state.first, beta1), mul(gradient, 1 - beta1));
  const second = add(mul(state.second, beta2), mul(square(gradient), 1 - beta2));
  const scale = div(learningRate, corrections.biasCorrection1);
  const root = add(div(sqrt(second), sqrt(corrections.biasCorrection2)), epsilon);
  return { values: sub(state.values, mul(div(first, root), scale)), first, second };
}
