import type { Tensor } from '@tensorflow/tfjs-core';
import type { PolicyConfig } from '../../agent/config.ts';
import { decide } from '../../agent/decision-transformer.ts';
import { poolShapes, type ParameterRecord } from '../../agent/weights/names.ts';
import type { CompileOptions } from '../tensors/compile.ts';
import { compileLadder, type CompiledLadder, type LadderSpec } from '../tensors/compile-ladder.ts';

type WindowName = 'states' | 'actionTokens' | 'returnsToGo' | 'rewards' | 'timesteps' | 'stepMask';

/** Compiled by XLA, as TensorFlow's own graph, operation by operation, or what the backend was started with. */
export type DecisionForm = 'auto' | 'xla' | 'graph' | 'eager';

export interface DecisionOptions extends Pick<CompileOptions, 'onProgress'> {
  readonly sizes: readonly number[];
  readonly actionDimensions: number;
  readonly form?: DecisionForm;
}

/**
 * The decision of one model for several batch sizes. The model's weights are constants of the graph, which single decisions
 * need to be fast; the pool is an input, so that another takes its place from one call to the next.
 */
export function compileDecision(
  parameters: ParameterRecord,
  { model, modulation }: Pick<PolicyConfig, 'model' | 'modulation'>,
  { sizes, actionDimensions, form = 'auto', onProgress }: DecisionOptions,
): CompiledLadder<string, string> {
  const { context, stateSize, actionSize } = model;
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
  return compileLadder<string, string>(
    (inputs) => {
      const present = { ...parameters, ...inputs };
      const window = inputs as Record<WindowName, Tensor>;
      const decision = decide(present, window, { model, modulation, actionDimensions, routing: {} });
      if (decision.selection === null) return { actionTokens: decision.actionTokens };
      const { modulators, similarity } = decision.selection;
      return { actionTokens: decision.actionTokens, modulators, similarity };
    },
    { ...windowSpecs, ...Object.fromEntries(poolSpecs) },
    { sizes, ...compileOptions(form), ...(onProgress === undefined ? {} : { onProgress }) },
  );
}

function compileOptions(form: DecisionForm): CompileOptions {
  switch (form) {
    case 'auto':
      return {};
    case 'eager':
      return { capture: false };
    case 'xla':
    case 'graph':
      return { xla: form === 'xla' };
  }
}
