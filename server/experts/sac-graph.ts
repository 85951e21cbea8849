import { slice, stack, type Tensor } from '@tensorflow/tfjs-core';
import { ADAM } from '../../agent/experts/adam.ts';
import { groupLayout, type ExpertShape } from '../../agent/experts/expert-shape.ts';
import { sacUpdate, UPDATE_FIGURES, type SacSettings, type SacState } from '../../agent/experts/sac-update.ts';
import { chooseActions } from '../../agent/experts/squashed-gaussian.ts';
import { piecesOf } from '../../agent/experts/weight-vector.ts';
import { compile, type CompileOptions } from '../tensors/compile.ts';
import type { CompiledFunction } from '../tensors/compiled-function.ts';
import { tensorNamed } from '../learning/tensor-record.ts';
import type { TensorSpec } from '../tensors/tensor-spec.ts';
import { STATE_NAMES, stateSizes, type SacTensors, type StateName } from './sac-tensors.ts';

export interface SacGraphOptions {
  readonly shape: ExpertShape;
  readonly settings: SacSettings;
  /** B, transitions of one update. */
  readonly batchSize: number;
  /** Updates in one run of the graph: less overhead, a longer compilation. */
  readonly updatesPerRun: number;
  readonly compile?: CompileOptions;
}

/** Plain values for all updates of one run, one update's rows behind the other's; kept by the caller, overwritten at will. */
export interface SacBatchArrays {
  readonly observations: Float32Array;
  readonly actions: Float32Array;
  readonly rewards: Float32Array;
  readonly nextObservations: Float32Array;
  readonly noise: Float32Array;
  readonly nextNoise: Float32Array;
}
type BatchName = keyof SacBatchArrays;

export type UpdateFigures = Readonly<Record<(typeof UPDATE_FIGURES)[number], number>>;

export interface SacGraph {
  readonly form: CompiledFunction['form'];
  /**
   * Replaces `tensors` by those after the updates.
   * @param firstUpdate number of the first of them, from 1
   * @param run.held what stays as it was before all updates of this run
   * @returns figures of the last update, read on demand
   */
  run(
    tensors: SacTensors,
    batch: SacBatchArrays,
    run: { readonly firstUpdate: number; readonly held?: readonly StateName[] },
  ): UpdateFigures;
  dispose(): void;
}

/** Room for the batches of one run. */
export function allocateSacBatch({ shape, batchSize, updatesPerRun }: SacGraphOptions): SacBatchArrays {
  const rows = batchSize * updatesPerRun;
  const { observationSize, actionSize } = shape;
  return {
    observations: new Float32Array(rows * observationSize),
    actions: new Float32Array(rows * actionSize),
    rewards: new Float32Array(rows),
    nextObservations: new Float32Array(rows * observationSize),
    noise: new Float32Array(rows * actionSize),
    nextNoise: new Float32Array(rows * actionSize),
  };
}

/** Compiles the whole update (losses, gradients, three optimisers, target critics) as one graph. */
export function compileSacUpdate(options: SacGraphOptions): SacGraph {
  const { updatesPerRun, batchSize } = options;
  const compiled = compile<string, StateName | 'figures'>(
    (inputs) => {
      let state = stateFrom(inputs as Record<StateName, Tensor>);
      const figures: Tensor[] = [];
      for (let update = 0; update < updatesPerRun; update++) {
        const rows = (name: BatchName) => rowsOf(tensorNamed(inputs, name), update * batchSize, batchSize);
        const batch = {
          ...{ observations: rows('observations'), actions: rows('actions'), rewards: rows('rewards') },
          ...{ nextObservations: rows('nextObservations'), noise: rows('noise'), nextNoise: rows('nextNoise') },
        };
        const correction = (which: 1 | 2) => slice(tensorNamed(inputs, `biasCorrection${which}`), [update], [1]);
        const corrections = { biasCorrection1: correction(1), biasCorrection2: correction(2) };
        const next = sacUpdate(state, batch, { ...options, corrections });
        state = next.state;
        figures.push(next.figures);
      }
      return { ...namesOf(state), figures: stack(figures) };
    },
    inputSpecs(options),
    options.compile,
  );
  return {
    form: compiled.form,
    run: (tensors, batch, { firstUpdate, held = [] }) => {
      const correction = (beta: number) =>
        Float32Array.from({ length: updatesPerRun }, (_, i) => 1 - beta ** (firstUpdate + i));
      const { figures, ...next } = compiled.run({
        ...tensors.current,
        ...batch,
        biasCorrection1: correction(ADAM.beta1),
        biasCorrection2: correction(ADAM.beta2),
      });
      tensors.replace(next, held);
      const values = figures.dataSync();
      const last = values.length - UPDATE_FIGURES.length;
      figures.dispose();
      return Object.fromEntries(UPDATE_FIGURES.map((name, i) => [name, values[last + i] ?? Number.NaN])) as Record<
        keyof UpdateFigures,
        number
      >;
    },
    dispose: () => compiled.dispose(),
  };
}

export interface ActingGraph {
  /**
   * @param actor the actor's vector
   * @param observations [lanes, W]
   * @param noise [lanes, A] standard normal; zeros give the deterministic policy
   * @returns [lanes, A]
   */
  run(actor: Tensor, observations: Float32Array, noise: Float32Array): Float32Array;
  dispose(): void;
}

/** Compiles the decision for a fixed number of environments. */
export function compileActing(shape: ExpertShape, lanes: number, options: CompileOptions = {}): ActingGraph {
  const { observationSize, actionSize } = shape;
  const compiled = compile<'actor' | 'observations' | 'noise', 'actions'>(
    ({ actor, observations, noise }) => ({
      actions: chooseActions(piecesOf(actor, groupLayout('actor', shape)), observations, noise),
    }),
    {
      actor: floats([stateSizes(shape)['actor values']]),
      observations: floats([lanes, observationSize]),
      noise: floats([lanes, actionSize]),
    },
    options,
  );
  return {
    run: (actor, observations, noise) => {
      const { actions } = compiled.run({ actor, observations, noise });
      const values = Float32Array.from(actions.dataSync());
      actions.dispose();
      return values;
    },
    dispose: () => compiled.dispose(),
  };
}

function inputSpecs({ shape, batchSize, updatesPerRun }: SacGraphOptions): Record<string, TensorSpec> {
  const rows = batchSize * updatesPerRun;
  const { observationSize, actionSize } = shape;
  const sizes = stateSizes(shape);
  return {
    ...Object.fromEntries(STATE_NAMES.map((name) => [name, floats([sizes[name]])] as const)),
    observations: floats([rows, observationSize]),
    actions: floats([rows, actionSize]),
    rewards: floats([rows]),
    nextObservations: floats([rows, observationSize]),
    noise: floats([rows, actionSize]),
    nextNoise: floats([rows, actionSize]),
    biasCorrection1: floats([updatesPerRun]),
    biasCorrection2: floats([updatesPerRun]),
  };
}

function floats(shape: readonly number[]): TensorSpec {
  return { shape, dtype: 'float32' };
}

/** Rows from the first axis; the tensor itself where they are all of them. */
function rowsOf(tensor: Tensor, first: number, count: number): Tensor {
  if (tensor.shape[0] === count) return tensor;
  return slice(tensor, [first, ...tensor.shape.slice(1).map(() => 0)], [count, ...tensor.shape.slice(1)]);
}

function stateFrom(inputs: Readonly<Record<StateName, Tensor>>): SacState {
  const vector = (group: 'actor' | 'critics' | 'temperature') => ({
    values: inputs[`${group} values`],
    first: inputs[`${group} first`],
    second: inputs[`${group} second`],
  });
  return {
    actor: vector('actor'),
    critics: vector('critics'),
    temperature: vector('temperature'),
    targets: inputs.targets,
  };
}

function namesOf({ targets, ...groups }: SacState): Record<StateName, Tensor> {
  const entries = Object.entries(groups).flatMap(([group, vector]) =>
    Object.entries(vector).map(([part, tensor]) => [`${group} ${part}`, tensor as Tensor] as const),
  );
  return { ...(Object.fromEntries(entries) as Record<Exclude<StateName, 'targets'>, Tensor>), targets };
}
