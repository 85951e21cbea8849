import { dropoutKeys } from '../../agent/learning/dropout.ts';
import { sphericalMeans } from '../../agent/modulation/fitted-keys.ts';
import { addKeys, emptyKeyTable, hasKeysOf, IDENTITY_ROW, type KeyTable } from '../../agent/modulation/key-table.ts';
import { initialArrays } from '../../agent/weights/initialise.ts';
import {
  KEY_BIAS_NAME,
  KEY_LAYOUT_NAME,
  KEY_MODULATOR_NAME,
  KEY_NAME,
  modelShapes,
  poolShapes,
  type Shapes,
} from '../../agent/weights/names.ts';
import { L2mError } from '../errors.ts';
import type { WeightArrays } from '../checkpoints/weights-file.ts';
import { allocateBatch, type BatchArrays } from '../learning/batch-arrays.ts';
import { FrozenWeights } from '../learning/frozen-weights.ts';
import { methodShapes, type MethodShapes } from '../learning/learning-method.ts';
import { queriesOf } from '../learning/query-graph.ts';
import { TrainingTensors } from '../learning/training-tensors.ts';
import { compileUpdate, type UpdateGraph, type UpdateOutcome } from '../learning/update-graph.ts';
import { randomFor, type WindowSampler } from '../learning/window-sampler.ts';
import type { ContinualLearner, LearnerCheckpoint, LearnerParts, LearnerState } from './continual-learner.ts';
import { timetableOf } from './continual-options.ts';
import type { IdentityTask } from './identity-tasks.ts';
import { arrayNamed, pickArrays } from './pick-arrays.ts';
import { queryTable, tableTensors } from './query-table.ts';
import { taskAfter } from './timetable.ts';

type Pool = Map<string, { readonly shape: readonly number[]; readonly data: Float32Array }>;

/** Where a pool in a saved state is kept apart from the row that learns. */
const SAVED_POOL = 'pool ';

/**
 * Fitted keys (beyond the paper). At each switch of tasks keys are fitted to the queries of the new task's own data and point to a row of the
 * pool of its own; that row alone learns, with an optimiser of its own, so no earlier row can change. Further keys, fitted to the data of the
 * pre-training, point to a row that never learns: what falls on them is decided by the frozen model alone.
 */
export class FittedKeysLearner implements ContinualLearner {
  readonly #parts: LearnerParts;
  readonly #identity: readonly IdentityTask[];
  readonly #shapes: MethodShapes;
  readonly #frozen: FrozenWeights;
  readonly #batch: BatchArrays;
  readonly #pool: Pool;
  readonly #table: KeyTable;
  #tensors: TrainingTensors | undefined;
  #graph: UpdateGraph | undefined;
  #begun: number;

  constructor(parts: LearnerParts, identity: readonly IdentityTask[]) {
    const { settings, policy, saved } = parts;
    const { model, modulation } = policy;
    if (modulation.kind !== 'lora') throw new L2mError('L2M_CONFIG_INVALID', `fitted keys for ${modulation.kind}`);
    this.#parts = parts;
    this.#identity = identity;
    const one = { ...modulation, poolSize: 1, keyCount: 1 };
    const { keyTable: _table, byLayout: _layout, query: _query, voteSteps: _steps, unknownBelow: _limit, ...row } = one;
    this.#shapes = methodShapes('modulators', { model, modulation: row });
    const key = { shape: [1, model.width], data: new Float32Array(model.width) };
    this.#frozen = FrozenWeights.fromWeights(this.#shapes.frozen, new Map([...parts.model, [KEY_NAME, key]]));
    this.#pool = poolOf(parts);
    this.#table = tableOf(this.#pool);
    this.#begun = saved?.begun ?? -1;
    if (saved !== undefined && this.#begun >= 0) {
      this.#tensors = TrainingTensors.fromArrays(this.#shapes.trainable, saved.arrays);
    }
    this.#batch = allocateBatch(settings.batchSize, model);
  }

  get parameterCount(): number {
    const sizes = Object.values(this.#shapes.trainable).map((shape) => shape.reduce((a, b) => a * b, 1));
    return sizes.reduce((a, b) => a + b, 0) * new Set(this.#parts.settings.sequence).size;
  }

  get begun(): number {
    return this.#begun;
  }

  async beginTask(position: number): Promise<void> {
    await this.#store();
    const { settings, source } = this.#parts;
    if (!hasKeysOf(this.#table, IDENTITY_ROW)) {
      this.#fitQueryTable();
      this.#addIdentityKeys(settings.identityKeys);
    }
    const row = this.#rowOf(position);
    if (!hasKeysOf(this.#table, row)) {
      const task = settings.sequence[position] ?? '';
      const keys = this.#fit(source.samplerOf(task, true), task, settings.keysPerTask);
      addKeys(this.#table, keys, { modulator: row, layout: this.#placeOf(source.layoutOf(task)) });
    }
    this.#tensors?.dispose();
    this.#tensors = TrainingTensors.fromWeights(this.#shapes.trainable, this.#row(row));
    this.#begun = position;
  }

  update(updates: number): UpdateOutcome {
    const { settings, source, policy } = this.#parts;
    const position = taskAfter(timetableOf(settings), updates);
    const { dropout } = settings;
    this.#graph ??= compileUpdate({
      ...{ model: policy.model, batchSize: settings.batchSize, accumulate: 1, weightDecay: settings.weightDecay },
      actionDimensions: source.actionDimensions,
      method: {
        ...{ ...this.#shapes, frozen: this.#frozen.tensors, pullWeight: 0 },
        ...(dropout === undefined ? {} : { dropout }),
      },
      compile: { xla: false },
    });
    if (this.#tensors === undefined) throw new RangeError('no task was begun');
    return this.#graph.run(
      this.#tensors,
      {
        ...{ number: updates - position * settings.stepsPerTask + 1, learningRate: settings.learningRate },
        dropoutKeys: () => dropoutKeys(randomFor(settings.seed, 'dropout', updates)),
      },
      () => {
        source.fill(this.#batch, updates, position);
        return this.#batch;
      },
    );
  }

  async checkpoint(): Promise<LearnerCheckpoint> {
    await this.#store();
    const { model, modulation } = this.#parts.policy;
    const frozen = await this.#frozen.verified();
    return {
      modulation,
      model: pickArrays(frozen, Object.keys(modelShapes(model))),
      pool: new Map([...this.#pool].map(([name, { shape, data }]) => [name, { shape, data: data.slice() }] as const)),
      frozen: this.#frozen.record,
    };
  }

  async state(): Promise<LearnerState> {
    await this.#store();
    const pool = [...this.#pool].map(([name, array]) => [`${SAVED_POOL}${name}`, array] as const);
    const learning = this.#tensors === undefined ? [] : await this.#tensors.toArrays();
    return { arrays: new Map([...learning, ...pool]), begun: this.#begun, usageBatches: 0, anchors: 0 };
  }

  dispose(): void {
    this.#graph?.dispose();
    this.#tensors?.dispose();
    this.#frozen.dispose();
  }

  /** The same task has the same row whenever it is learned. */
  #rowOf(position: number): number {
    const { sequence } = this.#parts.settings;
    return 1 + [...new Set(sequence)].indexOf(sequence[position] ?? '');
  }

  /**
   * Every task of the pre-training gets its equal share, the first ones one more where that does not come out even: fitted to all together,
   * a task that asks with few directions is left with so few keys that a similar new task takes its states.
   */
  #addIdentityKeys(count: number): void {
    const tasks = this.#identity.length;
    this.#identity.forEach(({ sampler, layout }, i) => {
      const own = Math.floor(count / tasks) + (i < count % tasks ? 1 : 0);
      if (own === 0) return;
      const keys = this.#fit(sampler, `identity ${i}`, own);
      addKeys(this.#table, keys, { modulator: IDENTITY_ROW, layout: this.#placeOf(layout) });
    });
  }

  /** Standardised queries have their table before the first key is fitted, and keep it. */
  #fitQueryTable(): void {
    const { settings, policy } = this.#parts;
    if (settings.query !== 'standardised') return;
    const options = { model: policy.model, parameters: this.#frozen.tensors, settings };
    const samplers = this.#identity.map(({ sampler }) => sampler);
    for (const [name, { data }] of queryTable(samplers, options)) arrayNamed(this.#pool, name).data.set(data);
  }

  #fit(sampler: WindowSampler, what: string, count: number): Float32Array {
    const { settings, policy } = this.#parts;
    const { seed, queryWindows, batchSize, query } = settings;
    const table = tableTensors(this.#pool);
    const parameters = { ...this.#frozen.tensors, ...table };
    const options = { model: policy.model, query, parameters, windows: queryWindows, batchSize };
    const queries = queriesOf(sampler, { ...options, compile: { xla: false } });
    for (const each of Object.values(table)) each.dispose();
    return sphericalMeans(queries, { width: policy.model.width, count, random: randomFor(seed, `keys ${what}`, 0) });
  }

  /** Of a layout in the policy's order; undefined where keys of all layouts compete. */
  #placeOf(layout: string): number | undefined {
    const { layoutOrder } = this.#parts.policy.options;
    const place = layoutOrder?.indexOf(layout);
    if (place !== undefined && place < 0) throw new RangeError(`the layout ${layout} is not in the policy's order`);
    return place;
  }

  /** Views of one row of the pool under the names of a pool of one. */
  #row(row: number): WeightArrays {
    return new Map(
      Object.entries(this.#shapes.trainable).map(([name, shape]) => {
        const { data } = arrayNamed(this.#pool, name);
        const length = shape.reduce((a, b) => a * b, 1);
        return [name, { shape, data: data.subarray(row * length, (row + 1) * length) }] as const;
      }),
    );
  }

  /** Puts what has been learned into its row. */
  async #store(): Promise<void> {
    if (this.#tensors === undefined) return;
    const row = this.#row(this.#rowOf(this.#begun));
    for (const [name, { data }] of await this.#tensors.weights()) row.get(name)?.data.set(data);
  }
}

/** The pool of a saved state, or a new one without a key in use. */
function poolOf({ settings, policy, saved }: LearnerParts): Pool {
  const { model, modulation } = policy;
  const shapes: Shapes = poolShapes(model, modulation);
  if (saved !== undefined) {
    const entries = Object.entries(shapes).map(([name, shape]) => {
      const data = saved.arrays.get(`${SAVED_POOL}${name}`)?.data;
      if (data === undefined) throw new RangeError(`no ${name} in the saved pool`);
      return [name, { shape, data }] as const;
    });
    return new Map(entries);
  }
  const drawn = initialArrays({ model, modulation }, randomFor(settings.seed, 'pool', 0));
  const table = emptyKeyTable(shapes[KEY_NAME]?.[0] ?? 0, model.width);
  drawn.get(KEY_NAME)?.data.set(table.keys);
  drawn.get(KEY_MODULATOR_NAME)?.data.set(table.modulators);
  drawn.get(KEY_BIAS_NAME)?.data.set(table.biases);
  return pickArrays(drawn, Object.keys(shapes));
}

function tableOf(pool: Pool): KeyTable {
  const of = (name: string): Float32Array => pool.get(name)?.data ?? new Float32Array();
  const layouts = pool.get(KEY_LAYOUT_NAME)?.data;
  return { keys: of(KEY_NAME), modulators: of(KEY_MODULATOR_NAME), biases: of(KEY_BIAS_NAME), layouts };
}
