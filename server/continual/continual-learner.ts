import type { ModulationConfig, PolicyConfig } from '../../agent/config.ts';
import type { WeightArrays } from '../checkpoints/weights-file.ts';
import type { FrozenRecord } from '../learning/frozen-weights.ts';
import type { UpdateOutcome } from '../learning/update-graph.ts';
import type { BatchSource } from './batch-source.ts';
import type { ContinualSettings } from './continual-options.ts';

export interface LearnerParts {
  readonly settings: ContinualSettings;
  /** `modulation` is that of the whole sequence. */
  readonly policy: PolicyConfig;
  /** Weights of the model that the training starts from. */
  readonly model: WeightArrays;
  readonly source: Pick<BatchSource, 'fill' | 'samplerOf' | 'layoutOf' | 'actionDimensions'>;
  readonly saved: LearnerState | undefined;
}

/** All that a learner needs to go on exactly where it was; the update number is kept beside it. */
export interface LearnerState {
  readonly arrays: WeightArrays;
  /** Place in the sequence of the task that was begun last; -1 before the first. */
  readonly begun: number;
  readonly usageBatches: number;
  readonly anchors: number;
}

export interface LearnerCheckpoint {
  readonly modulation: ModulationConfig;
  readonly model: WeightArrays;
  readonly pool: WeightArrays;
  readonly frozen: FrozenRecord;
}

/** What learns through a sequence of tasks, whatever the method. */
export interface ContinualLearner {
  /** Weights that learn, those of all tasks together. */
  readonly parameterCount: number;
  /** Place of the task that was begun last; -1 before the first. */
  readonly begun: number;
  /** What a switch of tasks calls for, before the first update of each task. */
  beginTask(position: number): Promise<void>;
  /** @param updates made so far over the whole sequence */
  update(updates: number): UpdateOutcome;
  /** What a policy needs, and the proof that frozen weights are what they were. @throws L2mError L2M_GRAPH_FAILED if they are not */
  checkpoint(): Promise<LearnerCheckpoint>;
  state(): Promise<LearnerState>;
  dispose(): void;
}
