import {
  checkModulationConfig,
  padToken,
  type ModulationConfig,
  type PolicyConfig,
  type PoolModulation,
} from '../config.ts';
import { tensor, type Tensor } from '../ops.ts';
import type { RandomSource } from '../random.ts';
import {
  ACTION_IN_NAME,
  ACTION_OUT_NAME,
  HEAD_IN_NAME,
  HEAD_OUT_NAME,
  KEY_BIAS_NAME,
  KEY_LAYOUT_NAME,
  KEY_MODULATOR_NAME,
  KEY_NAME,
  LORA_IN_NAME,
  LORA_OUT_NAME,
  MODULATOR_SLOTS,
  parameterShapes,
  POOL_NAME,
  QUERY_SCALE_NAME,
  QUERY_SHIFT_NAME,
  SINGLE_LORA_IN_NAME,
  SINGLE_LORA_OUT_NAME,
  SINGLE_NAME,
  STATE_IN_NAME,
  STATE_OUT_NAME,
  stateFeatures,
  WAVES_NAME,
} from './names.ts';

/** Deviation of GPT-2's normal initialisation (spec §1.8). */
const BODY_DEVIATION = 0.02;

type Draw = () => number;

/**
 * Draws all weights of a model and of what modulates it as the reference does before training (spec §1.8, §3.2, §4).
 *
 * @throws AgentError L2M_CONFIG_INVALID for sizes that no modulation can have
 * @returns float arrays by name, in the order of `parameterShapes`
 */
export function initialArrays(
  config: Pick<PolicyConfig, 'model' | 'modulation'>,
  random: RandomSource,
): Map<string, { shape: readonly number[]; data: Float32Array }> {
  checkModulationConfig(config.modulation);
  const arrays = new Map<string, { shape: readonly number[]; data: Float32Array }>();
  for (const [name, shape] of Object.entries(parameterShapes(config))) {
    const draw = drawOf(name, config, random);
    const data = new Float32Array(shape.reduce((product, n) => product * n, 1));
    for (let i = 0; i < data.length; i++) data[i] = draw();
    if (name === 'embed_action_disc.weight') data.fill(0, padToken(config.model) * config.model.width);
    arrays.set(name, { shape, data });
  }
  return arrays;
}

/** The same as tensors; the caller disposes them. */
export function initialiseParameters(
  config: Pick<PolicyConfig, 'model' | 'modulation'>,
  random: RandomSource,
): Record<string, Tensor> {
  return Object.fromEntries(
    [...initialArrays(config, random)].map(([name, { shape, data }]) => [name, tensor(data, [...shape])] as const),
  );
}

function drawOf(
  name: string,
  { model, modulation }: Pick<PolicyConfig, 'model' | 'modulation'>,
  random: RandomSource,
): Draw {
  const normal =
    (deviation: number): Draw =>
    () =>
      deviation * random.normal();
  const uniform =
    (bound: number): Draw =>
    () =>
      bound * (2 * random.uniform() - 1);
  switch (name) {
    case KEY_NAME:
      return uniform(1);
    // Nothing at first, so that a model that is given waves later begins as the model it was.
    case WAVES_NAME:
    case KEY_BIAS_NAME:
    case KEY_LAYOUT_NAME:
    case QUERY_SHIFT_NAME:
      return () => 0;
    case QUERY_SCALE_NAME:
      return () => 1;
    case KEY_MODULATOR_NAME: {
      // One key after the other gets the next modulator, from the first again once all are given out.
      let key = 0;
      const { poolSize } = modulation as PoolModulation;
      return () => key++ % poolSize;
    }
    case LORA_IN_NAME:
      // Kaiming's rule takes every axis but the first as fan-in, so the bound is much smaller than in ordinary LoRA.
      return uniform(1 / Math.sqrt(model.blocks * MODULATOR_SLOTS * model.width * rankOf(modulation)));
    case SINGLE_LORA_IN_NAME:
      return uniform(1 / Math.sqrt(MODULATOR_SLOTS * model.width * rankOf(modulation)));
    // Ordinary LoRA's bound: what is not the paper's need not repeat its tiny one.
    case STATE_IN_NAME:
      return uniform(1 / Math.sqrt(stateFeatures(model)));
    // An action token is one row of its table.
    case ACTION_IN_NAME:
      return uniform(1);
    case HEAD_IN_NAME:
      return uniform(1 / Math.sqrt(model.width));
    case LORA_OUT_NAME:
    case SINGLE_LORA_OUT_NAME:
    case STATE_OUT_NAME:
    case ACTION_OUT_NAME:
    case HEAD_OUT_NAME:
      return () => 0;
    case POOL_NAME:
    case SINGLE_NAME: {
      const factors = modulation.kind === 'ia3' || modulation.kind === 'single-ia3';
      return factors ? () => 1 : uniform(1);
    }
    // The reference re-creates these two after its own initialisation, so they keep PyTorch's defaults.
    case 'embed_state.weight':
    case 'embed_state.bias':
      return uniform(1 / Math.sqrt(model.stateSize));
    case 'embed_action_disc.weight':
      return normal(1);
  }
  if (name.endsWith('.bias')) return () => 0;
  if (/(^embed_ln|\.ln_[12f])\.weight$/.test(name)) return () => 1;
  if (name.endsWith('c_proj.weight')) return normal(BODY_DEVIATION / Math.sqrt(2 * model.blocks));
  return normal(BODY_DEVIATION);
}

function rankOf(modulation: ModulationConfig): number {
  return 'rank' in modulation ? modulation.rank : 1;
}
