import type { ExpertVariant } from '../../protocol/simulator-messages.ts';
import type { EvaluationProtocol, TaskId } from '../../protocol/task.ts';

/** Who acts in a run. Expert noise levels are used in turn, by start index. */
export type PolicyChoice =
  | { readonly kind: 'checkpoint'; readonly folder: string }
  | {
      readonly kind: 'expert';
      readonly noises: readonly number[];
      readonly variant?: ExpertVariant;
      /** Folder of a checkpoint that acts in the experts' place, who only say what should be done. */
      readonly student?: string;
      /** Trained experts decide at every step, also those that do better when they hold their actions. */
      readonly decides?: 'every-step';
    }
  /** A policy that is being trained; whoever starts the run hands it over (`StartOptions.policy`). */
  | { readonly kind: 'learner'; readonly name: string }
  | { readonly kind: 'random' }
  | { readonly kind: 'zero' };

/** What a user asks for; stored with the run, so that it can be resumed and repeated. */
export interface RunRequest {
  readonly kind: 'evaluate' | 'collect';
  readonly tasks: readonly TaskId[];
  readonly episodes: number;
  readonly protocol: EvaluationProtocol;
  readonly seed: number;
  readonly policy: PolicyChoice;
  readonly firstStart: number;
  /** Steps of an episode; null takes the protocol's own. */
  readonly horizon: number | null;
}

export function policyLabel(policy: PolicyChoice): string {
  switch (policy.kind) {
    case 'checkpoint':
      return folderName(policy.folder);
    case 'expert':
      if (policy.student !== undefined)
        return `${folderName(policy.student)} advised by experts, noise ${policy.noises.join('/')}`;
      return `expert${mannerOf(policy)}, noise ${policy.noises.join('/')}`;
    case 'learner':
      return policy.name;
    case 'random':
    case 'zero':
      return policy.kind;
  }
}

function mannerOf({ variant, decides }: Extract<PolicyChoice, { kind: 'expert' }>): string {
  return `${variant === 'keep-goal' ? ' that keeps the goal' : ''}${decides === undefined ? '' : ' deciding at every step'}`;
}

function folderName(folder: string): string {
  return folder.split('/').filter(Boolean).at(-1) ?? folder;
}
