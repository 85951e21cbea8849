import { randomSource } from '../../agent/random.ts';
import { immediateDecision, type ActingPolicy } from './acting-policy.ts';
import { L2mError } from '../errors.ts';

/** Always zero: the simulators' own rate through the whole server. */
export const ZERO_POLICY: ActingPolicy = {
  name: 'zero',
  assertSupports: () => undefined,
  begin: (spec) => {
    const decision = immediateDecision(new Float32Array(spec.actionSize));
    return { decide: () => decision };
  },
};

/** Uniform in [-1, 1] per dimension; a pure function of seed, start and step. */
export const RANDOM_POLICY: ActingPolicy = {
  name: 'random',
  assertSupports: () => undefined,
  begin: (spec, plan) => {
    const random = randomSource(plan.seed * 1_000_003 + plan.start);
    return {
      decide: () => immediateDecision(Float32Array.from({ length: spec.actionSize }, () => 2 * random.uniform() - 1)),
    };
  },
};

/** The scripted expert acts inside the worker; the server's answer only says: go on. */
export const EXPERT_POLICY: ActingPolicy = {
  name: 'expert',
  assertSupports: (spec) => {
    if (spec.hasExpert) return;
    throw new L2mError('L2M_TASK_UNSUPPORTED', `${spec.task} has no scripted expert`, {
      hint: 'Scripted experts exist for the Meta-World tasks only.',
    });
  },
  begin: (spec) => {
    const decision = immediateDecision(new Float32Array(spec.actionSize));
    return { decide: () => decision };
  },
};
