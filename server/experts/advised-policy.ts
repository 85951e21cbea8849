import { domainOf } from '../../protocol/task.ts';
import type { ActingPolicy } from '../rollouts/acting-policy.ts';
import { actionNoise } from './action-noise.ts';

export interface AdvisedPolicyOptions {
  readonly name: string;
  /** Who acts. */
  readonly student: ActingPolicy;
  /** Who says at every step what should be done: in DMControl when asked, in Meta-World inside the worker. */
  readonly adviser: ActingPolicy;
  /** Deviations of Gaussian noise on the student's actions, used in turn by start index. */
  readonly noises: readonly number[];
}

/**
 * A student acts and its expert says what should have been done: trajectories that lead where the student comes to, with targets for what to do
 * there (dataset aggregation, Ross et al. 2011). Experts alone never show how to go on after a failure.
 */
export function advisedPolicy({ name, student, adviser, noises }: AdvisedPolicyOptions): ActingPolicy {
  const prepare = student.prepare?.bind(student);
  return {
    name,
    assertSupports: (spec) => {
      student.assertSupports(spec);
      adviser.assertSupports(spec);
    },
    ...(prepare === undefined ? {} : { prepare }),
    begin: (spec, plan) => {
      const acting = student.begin(spec, plan);
      const advising = domainOf(spec.task) === 'dmcontrol' ? adviser.begin(spec, plan) : undefined;
      const inspect = acting.inspect?.bind(acting);
      const noisy = actionNoise(noises[plan.start % noises.length] ?? 0, plan);
      return {
        decide: async (row) => {
          const [decision, advice] = await Promise.all([acting.decide(row), advising?.decide(row)]);
          const action = noisy(decision.action);
          // The worker's expert gives the target of each step itself; all of the step is the student's.
          return advice === undefined
            ? { ...decision, action, weight: 1 }
            : { ...decision, action, target: advice.action };
        },
        ...(inspect === undefined ? {} : { inspect }),
      };
    },
  };
}
