import { add, exp, keep, mean, mul, reshape, stack, sub, valueAndGrads, type Scalar, type Tensor } from '../ops.ts';
import { adamStep, type AdamVector, type BiasCorrections } from './adam.ts';
import { groupLayout, type ExpertShape, type WeightGroup } from './expert-shape.ts';
import { actorLoss, criticLoss, criticTargets, type ReplayBatch } from './losses.ts';
import { piecesOf, vectorOf } from './weight-vector.ts';

/** What decides an update beside weights and data. */
export interface SacSettings {
  /** Of one decision, in (0, 1). */
  readonly discount: number;
  /** Share of the critics that the target critics take over at every update. */
  readonly targetRate: number;
  readonly learningRate: number;
  readonly temperatureLearningRate: number;
  /** Where the temperature steers the entropy of the policy; minus the number of action dimensions as a rule. */
  readonly targetEntropy: number;
}

/** Everything that an update changes. */
export interface SacState extends Readonly<Record<WeightGroup, AdamVector>> {
  /** The target critics' weights, laid out as the critics'. */
  readonly targets: Tensor;
}

/** Order of the numbers in `figures`. */
export const UPDATE_FIGURES = ['criticLoss', 'actorLoss', 'temperature', 'entropy', 'value'] as const;

/**
 * One update of soft actor-critic with twin critics and automatic temperature (Haarnoja et al. 2018, second version): critics,
 * then the actor against the new critics, then temperature and target critics. A pure function of tensors: chance comes in with
 * the batch.
 *
 * @returns the new state and [5] `UPDATE_FIGURES`
 */
export function sacUpdate(
  state: SacState,
  batch: ReplayBatch,
  { shape, settings, corrections }: { shape: ExpertShape; settings: SacSettings; corrections: BiasCorrections },
): { state: SacState; figures: Tensor } {
  const [actorLayout, criticLayout] = [groupLayout('actor', shape), groupLayout('critics', shape)];
  const actor = piecesOf(state.actor.values, actorLayout);
  const logTemperature = reshape(state.temperature.values, []);
  const { learningRate } = settings;

  const targetPieces = piecesOf(state.targets, criticLayout);
  const wanted = criticTargets({ actor, targets: targetPieces, logTemperature }, batch, settings.discount);
  const ofCritics = gradientOf(piecesOf(state.critics.values, criticLayout), (critics) =>
    criticLoss(critics, batch, wanted),
  );
  const critics = adamStep(state.critics, ofCritics.gradient, { learningRate, corrections });

  const newCritics = piecesOf(critics.values, criticLayout);
  // `valueAndGrads` returns the loss alone and disposes the rest; a kept tensor carries the entropy out.
  const kept: Tensor[] = [];
  const ofActor = gradientOf(actor, (pieces) => {
    const { loss, logProbabilities } = actorLoss({ actor: pieces, critics: newCritics, logTemperature }, batch);
    kept.push(keep(mul(mean(logProbabilities), -1)));
    return loss;
  });
  const entropy = kept[0]!.clone();
  kept[0]!.dispose();
  // The loss is log(temperature) (entropy - target), so this is its gradient.
  const temperatureGradient = reshape(sub(entropy, settings.targetEntropy), [1]);
  const { targetRate } = settings;
  return {
    state: {
      actor: adamStep(state.actor, ofActor.gradient, { learningRate, corrections }),
      critics,
      temperature: adamStep(state.temperature, temperatureGradient, {
        learningRate: settings.temperatureLearningRate,
        corrections,
      }),
      targets: add(mul(state.targets, 1 - targetRate), mul(critics.values, targetRate)),
    },
    figures: stack([ofCritics.loss, ofActor.loss, exp(logTemperature), entropy, mean(wanted)]),
  };
}

function gradientOf(
  pieces: readonly Tensor[],
  lossOf: (pieces: readonly Tensor[]) => Tensor,
): { loss: Tensor; gradient: Tensor } {
  const { value, grads } = valueAndGrads((...own: Tensor[]) => lossOf(own) as Scalar)([...pieces]);
  return { loss: value, gradient: vectorOf(grads) };
}
