import { add, addN, div, minimum, mul, scalar, sqrt, square, sub, sumAll, type Tensor } from '../ops.ts';

/** PyTorch's defaults and the reference's clipping (spec §4, §5.4). */
export const ADAMW = { beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weightDecay: 0.01, clipNorm: 0.25 } as const;
export type AdamwSettings = { readonly [Name in keyof typeof ADAMW]: number };

/** Lists in one common order of names. */
export interface AdamwState {
  readonly parameters: readonly Tensor[];
  readonly firstMoments: readonly Tensor[];
  readonly secondMoments: readonly Tensor[];
}

/** Scalars that change from step to step; tensors, so that a captured graph takes them as inputs. */
export interface StepScalars {
  readonly learningRate: Tensor;
  /** 1 - beta1 ^ step, the first step being 1. */
  readonly biasCorrection1: Tensor;
  /** 1 - beta2 ^ step */
  readonly biasCorrection2: Tensor;
}

/** The plain numbers of `StepScalars` for the n-th update, n = 1, 2, … */
export function biasCorrections(update: number, settings: AdamwSettings = ADAMW): [number, number] {
  return [1 - settings.beta1 ** update, 1 - settings.beta2 ** update];
}

/**
 * One update with decoupled weight decay, after clipping by the global norm of the gradients.
 *
 * @param decayed for each parameter whether it decays; see `decays`
 * @returns the new state and the norm before clipping (a scalar), all owned by the caller
 */
export function adamwStep(
  state: AdamwState,
  gradients: readonly Tensor[],
  {
    scalars,
    decayed,
    settings = ADAMW,
  }: { scalars: StepScalars; decayed: readonly boolean[]; settings?: AdamwSettings },
): AdamwState & { readonly gradientNorm: Tensor } {
  const gradientNorm = globalNorm(gradients);
  // torch.nn.utils.clip_grad_norm_: scale by at most 1, with 1e-6 in the denominator.
  const clip = minimum(div(scalar(settings.clipNorm), add(gradientNorm, 1e-6)), 1);
  const keepRate = sub(1, mul(scalars.learningRate, settings.weightDecay));
  const stepSize = div(scalars.learningRate, scalars.biasCorrection1);
  const rootCorrection = sqrt(scalars.biasCorrection2);
  const { beta1, beta2, epsilon } = settings;

  const next = state.parameters.map((parameter, i) => {
    const gradient = mul(gradients[i]!, clip);
    const first = add(mul(state.firstMoments[i]!, beta1), mul(gradient, 1 - beta1));
    const second = add(mul(state.secondMoments[i]!, beta2), mul(square(gradient), 1 - beta2));
    const direction = div(first, add(div(sqrt(second), rootCorrection), epsilon));
    const kept = decayed[i]! ? mul(parameter, keepRate) : parameter;
    return { parameter: sub(kept, mul(direction, stepSize)), first, second };
  });
  return {
    parameters: next.map((entry) => entry.parameter),
    firstMoments: next.map((entry) => entry.first),
    secondMoments: next.map((entry) => entry.second),
    gradientNorm,
  };
}

function globalNorm(gradients: readonly Tensor[]): Tensor {
  return sqrt(addN(gradients.map((gradient) => sumAll(square(gradient)))));
}
