import type { PolicyConfig } from '../../agent/config.ts';
import { observationLayout } from '../../agent/context/observation-layout.ts';
import type { LearningTask } from '../learning/learning-task.ts';
import { windowSampler, type WindowSampler } from '../learning/window-sampler.ts';

/** A task of the pre-training that keys of the identity are fitted to. */
export interface IdentityTask {
  /** Draws its windows, all as often as others. */
  readonly sampler: WindowSampler;
  /** Of its observations, see `observationLayout`. */
  readonly layout: string;
}

export function identityTasks(
  tasks: readonly LearningTask[],
  { seed, policy }: { readonly seed: number; readonly policy: Pick<PolicyConfig, 'model' | 'options'> },
): IdentityTask[] {
  const sampling = { seed, split: 'training', policy, alternateDomains: false, afterSuccessWeight: 1 } as const;
  return tasks.map((task) => ({ sampler: windowSampler([task], sampling), layout: observationLayout(task) }));
}
