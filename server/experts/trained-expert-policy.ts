import type { TaskId, TaskSpec } from '../../protocol/task.ts';
import { L2mError } from '../errors.ts';
import { sizesOf } from '../learning/trajectory-format.ts';
import type { ActingPolicy } from '../rollouts/acting-policy.ts';
import { actionNoise } from './action-noise.ts';
import { deterministicPolicy } from './deterministic-policy.ts';
import type { ExpertActors } from './expert-actors.ts';
import { fitsExpert, showsEvery, type TrainedExpert } from './expert-file.ts';

export interface TrainedExpertOptions {
  readonly name: string;
  readonly experts: ReadonlyMap<TaskId, TrainedExpert>;
  readonly actors: ExpertActors;
  /** Deviations of Gaussian noise on the actions, used in turn by start index. */
  readonly noises: readonly number[];
  /** Also those that do better when they hold their actions; by default they hold them. */
  readonly decides?: 'every-step';
}

/**
 * Trained experts of any number of tasks. What is executed is what the expert would do with noise on it, clipped to [-1, 1]; what it
 * would do is the decision's target. Noise is a function of seed, start and step.
 */
export function trainedExpertPolicy({ name, experts, actors, noises, decides }: TrainedExpertOptions): ActingPolicy {
  const clean = new Map<TaskId, ActingPolicy>();
  for (const [task, expert] of experts) {
    const { shape } = expert.about;
    clean.set(
      task,
      deterministicPolicy({
        ...{ name, actionRepeat: decides === 'every-step' ? 1 : showsEvery(expert.about), lanes: actors.rows },
        ...{ observationSize: shape.observationSize, actionSize: shape.actionSize },
        choose: (observations) => actors.choose(expert, observations),
      }),
    );
  }
  return {
    name,
    assertSupports: (spec) => assertFits(spec, experts.get(spec.task)),
    begin: (spec, plan) => {
      const policy = clean.get(spec.task);
      if (policy === undefined) throw new RangeError(`${spec.task} was not asked for support`);
      const expert = policy.begin(spec, plan);
      const noisy = actionNoise(noises[plan.start % noises.length] ?? 0, plan);
      return {
        decide: async (row) => {
          const decision = await expert.decide(row);
          return { ...decision, action: noisy(decision.action), target: decision.action };
        },
      };
    },
  };
}

function assertFits(spec: TaskSpec, expert: TrainedExpert | undefined): void {
  if (expert === undefined) throw new L2mError('L2M_TASK_UNSUPPORTED', `${spec.task} has no expert`);
  if (fitsExpert(expert.about, sizesOf(spec))) return;
  const { observationSize, actionSize } = expert.about.shape;
  throw new L2mError(
    'L2M_TASK_UNSUPPORTED',
    `${spec.task}: its expert was made for ${observationSize} observations and ${actionSize} actions`,
    { hint: 'Train it again with `npx l2m train-expert`.' },
  );
}
