import { pinkNoise } from '../../agent/experts/pink-noise.ts';
import { seedFor } from '../learning/window-sampler.ts';
import type { ActingPolicy, Decision } from '../rollouts/acting-policy.ts';

/**
 * A policy with noise on its actions. Deciding takes the likeliest action, so that without noise one start always gives one episode. The noise
 * drifts, as what is drawn anew every step cancels out before a gripper has moved; it is a function of seed, start and step. The policy sees
 * what was executed; what it would have done is the decision's target.
 *
 * @param deviation of the noise; 0 leaves the policy as it is
 */
export function exploringPolicy(policy: ActingPolicy, deviation: number): ActingPolicy {
  if (deviation === 0) return policy;
  return {
    ...policy,
    begin: (spec, plan) => {
      const episode = policy.begin(spec, plan);
      const seed = seedFor(plan.seed, `noise ${plan.task} ${deviation}`, plan.start);
      const noisy = (decision: Decision, step: number): Decision => {
        const noise = pinkNoise(seed, step, spec.actionSize);
        const action = decision.action.map((value, i) => clipped(value + deviation * (noise[i] ?? 0)));
        return { ...decision, action, target: decision.action };
      };
      return { ...episode, decide: async (row) => noisy(await episode.decide(row), row.step) };
    },
  };
}

function clipped(value: number): number {
  return Math.max(-1, Math.min(1, value));
}
