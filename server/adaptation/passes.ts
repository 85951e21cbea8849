import type { ActingPolicy } from '../rollouts/acting-policy.ts';
import type { AdaptationSettings, TargetChoice } from './adaptation-settings.ts';
import { exploringPolicy } from './exploring-policy.ts';

/** One way of acting on the starts of a round. */
export interface Pass {
  /**
   * What tells its episodes from those of other passes at the same start; kept as their `noise`: the deviation of what was added to actions,
   * or, below 0, the temperature at which they were drawn.
   */
  readonly mark: number;
  /** @throws RangeError for a policy that cannot be asked to act like this */
  readonly policyOf: (policy: ActingPolicy) => ActingPolicy;
  /** Whether what was decided is learned, instead of what was executed. */
  readonly learnsDecided: boolean;
}

/** Acting as decided. */
export const AS_DECIDED: Pass = noisyPass(0, 'decided');

/**
 * The passes of a round in their order: with added noise, then with drawn actions. Drawn actions are always learned as they were executed:
 * they are what the policy itself held possible, and the draws that led to success are what it did not know yet.
 */
export function passesOf({
  noises,
  temperatures,
  targets,
}: Pick<AdaptationSettings, 'noises' | 'temperatures' | 'targets'>): Pass[] {
  return [
    ...noises.map((deviation) => noisyPass(deviation, targets)),
    ...temperatures.map((temperature) => ({
      mark: -temperature,
      policyOf: (policy: ActingPolicy) => drawnPolicy(policy, temperature),
      learnsDecided: false,
    })),
  ];
}

function noisyPass(deviation: number, targets: TargetChoice): Pass {
  return {
    mark: deviation,
    policyOf: (policy) => exploringPolicy(policy, deviation),
    // Without noise what was done is what was decided, and nobody named a target.
    learnsDecided: deviation > 0 && targets === 'decided',
  };
}

function drawnPolicy(policy: ActingPolicy, temperature: number): ActingPolicy {
  if (policy.drawn === undefined) throw new RangeError(`${policy.name} has no actions to draw from`);
  return policy.drawn(temperature);
}
