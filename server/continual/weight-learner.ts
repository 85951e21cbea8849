import { tidy, type Tensor } from '@tensorflow/tfjs-core';
import { isPool } from '../../agent/config.ts';
import { dropoutKeys } from '../../agent/learning/dropout.ts';
import { REFERENCE_FISHER } from '../../agent/learning/fisher.ts';
import { activeAnchors, anchorsAfterTask, type Anchor, type PenaltySettings } from '../../agent/learning/penalty.ts';
import { countBatch, emptyCounts, switchTask, type UsageCounts } from '../../agent/modulation/counts.ts';
import { initialArrays } from '../../agent/weights/initialise.ts';
import { modelShapes, poolShapes, type Shapes } from '../../agent/weights/names.ts';
import { domainOf } from '../../protocol/task.ts';
import type { WeightArrays } from '../checkpoints/weights-file.ts';
import { allocateBatch, type BatchArrays } from '../learning/batch-arrays.ts';
import { anchorOfTask } from '../learning/fisher-graph.ts';
import { FrozenWeights } from '../learning/frozen-weights.ts';
import { methodShapes, type LearningMethod, type MethodShapes } from '../learning/learning-method.ts';
import { tensorsOf, TrainingTensors } from '../learning/training-tensors.ts';
import { compileUpdate, type UpdateGraph, type UpdateOutcome } from '../learning/update-graph.ts';
import { randomFor, type WindowSampler } from '../learning/window-sampler.ts';
import { loadAnchors, savedAnchors } from './anchor-arrays.ts';
import type { ContinualLearner, LearnerCheckpoint, LearnerParts, LearnerState } from './continual-learner.ts';
import { timetableOf } from './continual-options.ts';
import { pickArrays } from './pick-arrays.ts';
import { CONTINUAL_METHODS, type ContinualMethod } from './methods.ts';
import { queryTable } from './query-table.ts';
import { taskAfter, totalUpdates } from './timetable.ts';

/**
 * Weights that go on from task to task, with one optimiser that is never reset unless asked for (spec §5.5): the paper's pools, single modulators, parts of
 * the model or all of it, with counts, penalties and replay where the method has them.
 */
export class WeightLearner implements ContinualLearner {
  readonly #parts: LearnerParts;
  readonly #method: ContinualMethod;
  readonly #shapes: MethodShapes;
  readonly #all: WeightArrays;
  readonly #frozen: FrozenWeights;
  readonly #tensors: TrainingTensors;
  readonly #batch: BatchArrays;
  readonly #penalty: PenaltySettings | undefined;
  #usage: UsageCounts;
  #anchors: readonly Anchor[];
  #begun: number;
  #graph: UpdateGraph | undefined;

  /** @param pretraining draws the windows of each task of the pre-training, for tables of standardised queries */
  constructor(parts: LearnerParts, pretraining: readonly WindowSampler[] = []) {
    const { settings, policy, saved } = parts;
    const { model, modulation } = policy;
    this.#parts = parts;
    this.#method = CONTINUAL_METHODS[settings.method];
    this.#penalty = this.#method.penalty && {
      ...this.#method.penalty,
      strength: settings.penaltyStrength,
      mode: settings.penaltyMode,
    };
    this.#shapes = methodShapes(this.#method.trainable, { model, modulation });
    const drawn = initialArrays({ model, modulation }, randomFor(settings.seed, 'pool', 0));
    this.#all = new Map([
      ...parts.model,
      ...pickArrays(drawn, Object.keys(poolShapes(model, modulation))),
      ...tableOfQueries(parts, pretraining),
    ]);
    this.#frozen = FrozenWeights.fromWeights(this.#shapes.frozen, this.#all);
    this.#tensors =
      saved === undefined
        ? TrainingTensors.fromWeights(this.#shapes.trainable, this.#all)
        : TrainingTensors.fromArrays(this.#shapes.trainable, saved.arrays);
    this.#usage = usageOf(isPool(modulation) ? modulation.keyCount : 1, saved);
    this.#anchors = loadAnchors(this.#shapes.trainable, saved);
    this.#begun = saved?.begun ?? -1;
    this.#batch = allocateBatch(settings.batchSize, model);
  }

  get parameterCount(): number {
    return Object.values(this.#shapes.trainable).reduce((sum, shape) => sum + shape.reduce((a, b) => a * b, 1), 0);
  }

  get begun(): number {
    return this.#begun;
  }

  get #countsWeigh(): boolean {
    return this.#method.countPenalty === true && this.#parts.settings.countPenalty !== false;
  }

  beginTask(position: number): Promise<void> {
    if (position > 0) {
      if (this.#parts.settings.freshOptimiser === true) this.#tensors.clearMoments();
      if (this.#countsWeigh) this.#usage = switchTask(this.#usage);
      if (this.#penalty !== undefined) this.#remember(this.#penalty, position - 1);
    }
    this.#begun = position;
    return Promise.resolve();
  }

  update(updates: number): UpdateOutcome {
    const { settings, source, policy } = this.#parts;
    const position = taskAfter(timetableOf(settings), updates);
    this.#graph ??= compileUpdate({
      ...{ model: policy.model, batchSize: settings.batchSize, accumulate: 1, weightDecay: settings.weightDecay },
      actionDimensions: source.actionDimensions,
      method: this.#learning(position),
      // XLA gains nothing in training at the width of the shipped model and compiles for seconds at each switch.
      compile: { xla: false },
    });
    const outcome = this.#graph.run(
      this.#tensors,
      {
        number: settings.freshOptimiser === true ? updates - position * settings.stepsPerTask + 1 : updates + 1,
        ...{ learningRate: settings.learningRate, inverseCounts: this.#usage.inverseCounts },
        dropoutKeys: () => dropoutKeys(randomFor(settings.seed, 'dropout', updates)),
      },
      () => {
        source.fill(this.#batch, updates, position);
        return this.#batch;
      },
    );
    for (const keys of outcome.selectedKeys) this.#usage = countBatch(this.#usage, keys);
    return outcome;
  }

  async checkpoint(): Promise<LearnerCheckpoint> {
    const { model, modulation } = this.#parts.policy;
    const learned = new Map([...this.#all, ...(await this.#frozen.verified()), ...(await this.#tensors.weights())]);
    const part = (shapes: Shapes) => pickArrays(learned, Object.keys(shapes));
    const frozen = this.#frozen.record;
    return { modulation, model: part(modelShapes(model)), pool: part(poolShapes(model, modulation)), frozen };
  }

  async state(): Promise<LearnerState> {
    const { counts, inverseCounts, batches } = this.#usage;
    const shape = [counts.length];
    return {
      arrays: new Map([
        ...(await this.#tensors.toArrays()),
        ['usage counts', { shape, data: counts }],
        ['usage inverse', { shape, data: inverseCounts }],
        ...(await savedAnchors(this.#shapes.trainable, this.#anchors)),
      ]),
      ...{ begun: this.#begun, usageBatches: batches, anchors: this.#anchors.length },
    };
  }

  dispose(): void {
    this.#graph?.dispose();
    this.#tensors.dispose();
    this.#frozen.dispose();
    for (const tensor of tensorsOfAnchors(this.#anchors)) tensor.dispose();
  }

  #learning(position: number): LearningMethod {
    const { settings } = this.#parts;
    const { dropout, pullWeight } = settings;
    const penalty = this.#penalty;
    return {
      ...this.#shapes,
      frozen: this.#frozen.tensors,
      pullWeight,
      ...(this.#countsWeigh ? { countPenalty: true } : {}),
      ...(dropout === undefined ? {} : { dropout }),
      ...(penalty === undefined
        ? {}
        : {
            penalty: { anchors: activeAnchors(this.#anchors, position, penalty), strength: penalty.strength },
          }),
    };
  }

  /** Fisher information of the task that has ended, or equal importances; the graph is made anew because it has other anchors. */
  #remember(penalty: PenaltySettings, ended: number): void {
    const { settings, policy, source } = this.#parts;
    const task = settings.sequence[ended] ?? '';
    const sampler = source.samplerOf(task, false);
    // Beyond the numbers of all updates, so that none of their batches is drawn again.
    let index = totalUpdates(timetableOf(settings)) + ended * REFERENCE_FISHER.batches;
    const first = index;
    const anchor = anchorOfTask(
      this.#tensors,
      {
        ...{ model: policy.model, batchSize: settings.batchSize, method: this.#learning(ended), penalty },
        ...{ fisher: REFERENCE_FISHER, rewardScale: policy.options.rewardScale[domainOf(task)] },
        compile: { xla: false },
      },
      {
        nextBatch: () => {
          sampler.fill(this.#batch, index++);
          return this.#batch;
        },
        dropoutKeys: (batch) => dropoutKeys(randomFor(settings.seed, 'dropout', first + batch)),
        inverseCounts: this.#usage.inverseCounts,
      },
    );
    const before = this.#anchors;
    const after = tidy(() => anchorsAfterTask(before, anchor, penalty) as never) as readonly Anchor[];
    const kept = new Set(tensorsOfAnchors(after));
    for (const tensor of tensorsOfAnchors([...before, anchor])) if (!kept.has(tensor)) tensor.dispose();
    this.#anchors = after;
    this.#graph?.dispose();
    this.#graph = undefined;
  }
}

/** Computed anew in each session: it is a function of the frozen model and its data. */
function tableOfQueries(
  { settings, policy, model }: LearnerParts,
  pretraining: readonly WindowSampler[],
): WeightArrays {
  if (settings.query !== 'standardised') return new Map();
  const parameters = tensorsOf(modelShapes(policy.model), model);
  const table = queryTable(pretraining, { model: policy.model, parameters, settings });
  for (const each of Object.values(parameters)) each.dispose();
  return table;
}

function usageOf(keyCount: number, saved: LearnerState | undefined): UsageCounts {
  const empty = emptyCounts(keyCount);
  const array = (name: string): Float32Array | undefined => saved?.arrays.get(name)?.data;
  return {
    counts: array('usage counts') ?? empty.counts,
    inverseCounts: array('usage inverse') ?? empty.inverseCounts,
    batches: saved?.usageBatches ?? 0,
  };
}

function tensorsOfAnchors(anchors: readonly Anchor[]): Tensor[] {
  return anchors.flatMap(({ weights, importances }) => [...weights, ...importances]);
}
