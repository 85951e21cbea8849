import type { ExpertShape } from '../../agent/experts/expert-shape.ts';
import type { BackendOptions } from '../tensors/backend.ts';
import type { ExpertSettings } from './expert-options.ts';
import type { LearnerPosition } from './learner.ts';
import type { ReplayEpisode } from './replay.ts';
import type { UpdateFigures } from './sac-graph.ts';

/** What the learner's process is asked. It works in the order of asking and answers each request once. */
export type LearnerRequest =
  | {
      readonly type: 'begin';
      readonly settings: ExpertSettings;
      readonly shape: ExpertShape;
      readonly folder: string;
      readonly resume: boolean;
      readonly backend: BackendOptions;
      /** Of a training that begins with a trained one. */
      readonly actor?: Float32Array;
    }
  | { readonly type: 'put'; readonly number: number; readonly episode: ReplayEpisode }
  | { readonly type: 'decide'; readonly observations: Float32Array; readonly rewards: Float32Array }
  | { readonly type: 'choose'; readonly observations: Float32Array }
  | { readonly type: 'actor' }
  | { readonly type: 'save' };

export type LearnerReply =
  | {
      readonly type: 'begun';
      readonly position: LearnerPosition;
      /** [decisions, A] of each lane's unfinished episode, to bring simulators to where they were. */
      readonly history: readonly Float32Array[];
      readonly backend: string;
    }
  | { readonly type: 'done' }
  /** Comes before the updates that the decision allows: they run while the simulators step. */
  | { readonly type: 'actions'; readonly actions: Float32Array }
  | { readonly type: 'actor'; readonly actor: Float32Array }
  | { readonly type: 'saved'; readonly position: LearnerPosition };

/** Unasked, about once a second while there is something to say. */
export interface LearnerReport {
  readonly type: 'report';
  readonly position: LearnerPosition;
  readonly figures: UpdateFigures;
  /** While learning; the pauses between are left out. */
  readonly updatesPerSecond: number;
}
