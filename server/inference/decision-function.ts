import type { Tensor } from '@tensorflow/tfjs-core';
import { hasKeyTable, isSearchedByGroup, votes, type PolicyConfig } from '../../agent/config.ts';
import { decide } from '../../agent/decision-transformer.ts';
import { modelShapes, poolShapes, type ParameterRecord } from '../../agent/weights/names.ts';
import type { CompileOptions } from '../tensors/compile.ts';
import { compileLadder, type CompiledLadder, type LadderSpec } from '../tensors/compile-ladder.ts';
import { fastestForm, type FormRace, type GraphForm } from '../tensors/fastest-form.ts';
import { elementCount, zeros, type TensorInput } from '../tensors/tensor-spec.ts';

type OptionalName = 'searchGroups' | 'heldRows' | 'chance';
type WindowName = 'states' | 'actionTokens' | 'returnsToGo' | 'rewards' | 'timesteps' | 'stepMask';

/** Compiled by XLA, as TensorFlow's own graph, operation by operation, or whichever form of graph is faster here. */
export type DecisionForm = 'auto' | 'xla' | 'graph' | 'eager';

export interface DecisionOptions extends Pick<CompileOptions, 'onProgress'> {
  readonly sizes: readonly number[];
  readonly actionDimensions: number;
  /** Windows bring chance that is added to the logits. */
  readonly drawn?: boolean;
  readonly form?: DecisionForm;
}

/** Weights times windows from which the two forms of a graph are raced; below it XLA has always won. */
const WORTH_A_RACE = 10_000_000;

/**
 * The decision of one model for several batch sizes. The model's weights are constants of the graph, which single decisions
 * need to be fast; the pool is an input, so that another takes its place from one call to the next.
 */
export function compileDecision(
  parameters: ParameterRecord,
  config: Pick<PolicyConfig, 'model' | 'modulation'>,
  options: DecisionOptions,
): CompiledLadder<string, string> {
  const { model, modulation } = config;
  const { sizes, actionDimensions, drawn = false, onProgress } = options;
  const form = options.form ?? 'auto';
  const fn = (inputs: Record<string, Tensor>): Record<string, Tensor> => {
    const present = { ...parameters, ...inputs };
    const window = inputs as Record<WindowName, Tensor> & Partial<Record<OptionalName, Tensor>>;
    const decision = decide(present, window, { model, modulation, actionDimensions, routing: {} });
    if (decision.selection === null) return { actionTokens: decision.actionTokens };
    const { keys, modulators, asked, similarity } = decision.selection;
    return {
      ...{ actionTokens: decision.actionTokens, modulators, similarity },
      // What is told apart only where it can differ: a graph has no output twice.
      ...(hasKeyTable(modulation) ? { keys } : {}),
      ...(votes(modulation) ? { asked } : {}),
    };
  };
  const specs = decisionSpecs(config, drawn);
  const ladder = (sizes: readonly number[], chosen: CompileOptions): CompiledLadder<string, string> =>
    compileLadder(fn, specs, { sizes, ...chosen, ...(onProgress === undefined ? {} : { onProgress }) });
  if (form !== 'auto') return ladder(sizes, compileOptions(form));

  const largest = sizes.at(-1) ?? 1;
  const weights = Object.values(modelShapes(model)).reduce((sum, shape) => sum + elementCount(shape), 0);
  if (weights * largest < WORTH_A_RACE) return ladder(sizes, {});
  const faster = fastestForm({
    work: `decide ${JSON.stringify({ model, modulation, actionDimensions, drawn, batch: largest })}`,
    prepare: (each) => runnerOf(ladder([largest], compileOptions(each)), zeroWindows(specs, { parameters, largest })),
  });
  return ladder(sizes, compileOptions(faster));
}

/** Everything a decision is made of but the model's weights. */
export function decisionSpecs(
  { model, modulation }: Pick<PolicyConfig, 'model' | 'modulation'>,
  drawn = false,
): Record<string, LadderSpec> {
  const { context, stateSize, actionSize, bins } = model;
  const windowSpecs: Record<WindowName, LadderSpec> = {
    states: { shape: ['batch', context, stateSize], dtype: 'float32' },
    actionTokens: { shape: ['batch', context, actionSize], dtype: 'int32' },
    returnsToGo: { shape: ['batch', context], dtype: 'float32' },
    rewards: { shape: ['batch', context], dtype: 'float32' },
    timesteps: { shape: ['batch', context], dtype: 'int32' },
    stepMask: { shape: ['batch', context], dtype: 'float32' },
  };
  const poolSpecs = Object.entries(poolShapes(model, modulation)).map(([name, shape]): [string, LadderSpec] => [
    name,
    { shape, dtype: 'float32' },
  ]);
  const perWindow: LadderSpec = { shape: ['batch'], dtype: 'int32' };
  return {
    ...windowSpecs,
    ...(isSearchedByGroup(modulation) ? { searchGroups: perWindow } : {}),
    ...(votes(modulation) ? { heldRows: perWindow } : {}),
    ...(drawn ? { chance: { shape: ['batch', actionSize, bins], dtype: 'float32' } as const } : {}),
    ...Object.fromEntries(poolSpecs),
  };
}

function compileOptions(form: GraphForm | 'eager'): CompileOptions {
  switch (form) {
    case 'eager':
      return { capture: false };
    case 'xla':
    case 'graph':
      return { xla: form === 'xla' };
  }
}

/** Empty windows and the present pool: nothing in the cost of a decision depends on the values. */
function zeroWindows(
  specs: Readonly<Record<string, LadderSpec>>,
  { parameters, largest }: { readonly parameters: ParameterRecord; readonly largest: number },
): Record<string, TensorInput> {
  const entries = Object.entries(specs).map(([name, { shape, dtype }]): [string, TensorInput] => {
    const lengths = shape.map((length) => (length === 'batch' ? largest : length));
    return [name, parameters[name] ?? zeros({ shape: lengths, dtype })];
  });
  return Object.fromEntries(entries);
}

function runnerOf(
  ladder: CompiledLadder<string, string>,
  inputs: Readonly<Record<string, TensorInput>>,
): ReturnType<FormRace['prepare']> {
  return {
    runMs: () => {
      const startMs = performance.now();
      const outputs = ladder.run(inputs);
      outputs['actionTokens']?.dataSync();
      for (const output of Object.values(outputs)) output.dispose();
      return performance.now() - startMs;
    },
    dispose: () => ladder.dispose(),
  };
}
