import type { Tensor } from '@tensorflow/tfjs-core';
import type { PolicyConfig } from '../../agent/config.ts';
import { explainDecision } from '../../agent/explain-decision.ts';
import { keyPlane, type KeyPlane } from '../../agent/modulation/key-plane.ts';
import { KEY_NAME, type ParameterRecord } from '../../agent/weights/names.ts';
import type { AttentionChoice } from '../../protocol/policy-messages.ts';
import { L2mError } from '../errors.ts';
import { compile } from '../tensors/compile.ts';
import { eagerFunction, type CompiledFunction } from '../tensors/compiled-function.ts';
import type { TensorInput, TensorSpec } from '../tensors/tensor-spec.ts';
import { decisionSpecs } from './decision-function.ts';
import type { ExplainedArrays, WindowArrays } from './host-messages.ts';

type Run = CompiledFunction;

/**
 * Explains single decisions of one model, compiled when first asked: a policy that nobody watches pays nothing. Attention is asked for
 * now and then only, so that its pass runs operation by operation.
 */
export class ExplanationGraph {
  readonly #config: PolicyConfig;
  readonly #specs: Readonly<Record<string, TensorSpec>>;
  #compiled: Run | undefined;
  #plane: { readonly of: Tensor; readonly plane: KeyPlane; readonly points: Float32Array } | undefined;

  /** @param parameters all weights; they are inputs of the graph, so that other values can take their place */
  constructor(parameters: ParameterRecord, config: PolicyConfig) {
    this.#config = config;
    const specs: Record<string, TensorSpec> = {};
    for (const [name, { shape, dtype }] of Object.entries(decisionSpecs(config))) {
      specs[name] = { shape: shape.map((length) => (length === 'batch' ? 1 : length)), dtype };
    }
    for (const [name, { shape }] of Object.entries(parameters)) specs[name] = { shape, dtype: 'float32' };
    this.#specs = specs;
  }

  /**
   * @param windows one window with the chosen tokens as the newest step's actions
   * @throws L2M_SHAPE_MISMATCH if there is no such block or head
   */
  async explain(
    parameters: ParameterRecord,
    windows: WindowArrays,
    attention: AttentionChoice | null,
  ): Promise<ExplainedArrays> {
    const { blocks, heads } = this.#config.model;
    if (attention !== null && (attention.block >= blocks || attention.head >= heads)) {
      const got = `block ${attention.block}, head ${attention.head} of a model with ${blocks} blocks of ${heads} heads`;
      throw new L2mError('L2M_SHAPE_MISMATCH', got);
    }
    const given: Record<string, TensorInput> = { ...parameters };
    for (const name of Object.keys(this.#specs)) {
      if (parameters[name] !== undefined) continue;
      given[name] = (windows[name as keyof WindowArrays] ?? Int32Array.of(-1)) as TensorInput;
    }
    const outputs = this.#function(attention?.block ?? null).run(given);
    try {
      const read = async (name: string): Promise<Float32Array> =>
        ((await outputs[name]?.data()) as Float32Array | undefined) ?? new Float32Array(0);
      const [logits, similarities, maps] = await Promise.all([read('logits'), read('similarities'), read('attention')]);
      const [query, state] = await Promise.all([read('query'), read('state')]);
      const plane = await this.#planeOf(parameters[KEY_NAME]);
      const size = maps.length / heads;
      const head = attention?.head ?? 0;
      return {
        logits,
        similarities,
        attention: maps.slice(head * size, (head + 1) * size),
        keys: plane?.points ?? new Float32Array(0),
        shares: plane?.plane.shares ?? [0, 0],
        points: plane === undefined ? new Float32Array(0) : plane.plane.project([...query, ...state]),
      };
    } finally {
      for (const output of Object.values(outputs)) output.dispose();
    }
  }

  dispose(): void {
    this.#compiled?.dispose();
    this.#compiled = undefined;
  }

  #function(attentionOf: number | null): Run {
    const { model, modulation } = this.#config;
    const fn = (inputs: Record<string, Tensor>): Record<string, Tensor> => {
      const window = inputs as unknown as Parameters<typeof explainDecision>[1];
      const explained = explainDecision(inputs, window, { model, modulation, routing: {}, attentionOf });
      const { logits, state, pool, attention } = explained;
      return { logits, state, ...pool, ...(attention === null ? {} : { attention }) };
    };
    if (attentionOf !== null) return eagerFunction(fn, this.#specs);
    // XLA would take ten seconds of the host, during which nobody decides, to save it a few milliseconds now and then.
    this.#compiled ??= compile(fn, this.#specs, { xla: false });
    return this.#compiled;
  }

  /** Computed once for each pool. */
  async #planeOf(keys: Tensor | undefined) {
    if (keys === undefined) return undefined;
    if (this.#plane?.of !== keys) {
      const values = (await keys.data()) as Float32Array;
      const plane = keyPlane(values, this.#config.model.width);
      this.#plane = { of: keys, plane, points: plane.project(values) };
    }
    return this.#plane;
  }
}
