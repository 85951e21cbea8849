import { tokensPerStep, type ModelConfig } from '../config.ts';
import {
  add,
  assertShape,
  concat,
  cos,
  gather,
  matMul,
  mul,
  oneHot,
  reshape,
  sin,
  slice,
  sub,
  type Tensor,
} from '../ops.ts';
import { addLowRank, type LowRank } from '../modulation/lora.ts';
import { parameter, WAVES_NAME, type ParameterRecord } from '../weights/names.ts';
import { layerNorm } from './layer-norm.ts';
import { linear } from './linear.ts';

/**
 * A batch of windows, oldest timestep first, padded on the left. What stands in padded steps has no influence.
 * Returns-to-go and rewards are already divided by the reward scale.
 */
export interface WindowTensors {
  /** [B, T, S] float */
  readonly states: Tensor;
  /** [B, T, A] int32, 0..V-1; the row of the step to decide is ignored by decisions */
  readonly actionTokens: Tensor;
  /** [B, T] float */
  readonly returnsToGo: Tensor;
  /** [B, T] float; the entry of the step to decide is ignored by decisions */
  readonly rewards: Tensor;
  /** [B, T] int32, 0..maximumTimestep-1 */
  readonly timesteps: Tensor;
  /** [B, T] float, 1 for a real step, 0 for padding */
  readonly stepMask: Tensor;
  /** [B] int32, the true task of each window, where the pool is searched by it (spec §3.7), or its layout (`PoolSizes.byLayout`) */
  readonly searchGroups?: Tensor;
  /** [B] int32, the row of the pool that earlier steps settled on, -1 for none, where steps of an episode vote */
  readonly heldRows?: Tensor;
  /** [B, A, V] float, added to the logits before the likeliest bin is taken, where actions are drawn (`gumbelNoise`) */
  readonly chance?: Tensor;
}

/** @throws AgentError L2M_SHAPE_MISMATCH */
function assertWindow(window: WindowTensors, model: ModelConfig): { batch: number; steps: number } {
  const [batch = 0, steps = 0] = window.states.shape;
  assertShape(window.states, [batch, steps, model.stateSize], 'states');
  assertShape(window.actionTokens, [batch, steps, model.actionSize], 'actionTokens');
  assertShape(window.returnsToGo, [batch, steps], 'returnsToGo');
  assertShape(window.rewards, [batch, steps], 'rewards');
  assertShape(window.timesteps, [batch, steps], 'timesteps');
  assertShape(window.stepMask, [batch, steps], 'stepMask');
  if (window.searchGroups !== undefined) assertShape(window.searchGroups, [batch], 'searchGroups');
  if (window.heldRows !== undefined) assertShape(window.heldRows, [batch], 'heldRows');
  if (window.chance !== undefined) assertShape(window.chance, [batch, model.actionSize, model.bins], 'chance');
  return { batch, steps };
}

/** The parts of a window's tokens before the time code and the norm: state, return-to-go, actions, reward. */
interface TokenParts {
  /** [B, T, 1, D] */
  readonly state: Tensor;
  /** [B, T, 1, D] */
  readonly returnToGo: Tensor;
  /** [B, T, A, D] */
  readonly actions: Tensor;
  /** [B, T, 1, D] */
  readonly reward: Tensor;
}

/**
 * Embeds whole windows: per step [state, return-to-go, action 1..A, reward], plus the step's time code, then one layer norm
 * (spec §1.2, items 1-6).
 *
 * @returns [B, T, A + 3, D], owned by the caller; the position code is not yet added, because the pool's query is read here
 */
export function embedWindow(parameters: ParameterRecord, window: WindowTensors, model: ModelConfig): Tensor {
  return embedChanged(parameters, window, { model, ends: null });
}

/** Added to what states and action tokens become; see `EndModulators`. */
export interface EmbedChanges {
  /** Of what states are embedded from, before the time code and the norm. */
  readonly state: LowRank;
  /** Of the table of action tokens, pad token included. */
  readonly actions: LowRank;
}

interface EmbedOptions {
  readonly model: ModelConfig;
  readonly ends: EmbedChanges | null;
}

/** The same, as a modulator changes it. */
export function embedChanged(parameters: ParameterRecord, window: WindowTensors, options: EmbedOptions): Tensor {
  const { model } = options;
  const { batch, steps } = assertWindow(window, model);
  const parts = embedParts(parameters, window, options);
  const tokens = concat([parts.state, parts.returnToGo, parts.actions, parts.reward], 2);
  assertShape(tokens, [batch, steps, tokensPerStep(model), model.width], 'tokens');
  return layerNorm(parameters, add(tokens, timeCodes(parameters, window.timesteps)), 'embed_ln');
}

function embedParts(parameters: ParameterRecord, window: WindowTensors, options: EmbedOptions): TokenParts {
  const [batch = 0, steps = 0] = window.states.shape;
  const one = [batch, steps, 1, options.model.width];
  return {
    state: reshape(embedStates(parameters, window.states, options), one),
    returnToGo: embedScalars(parameters, window.returnsToGo, 'embed_return'),
    actions: embedActions(parameters, window.actionTokens, options.ends),
    reward: embedScalars(parameters, window.rewards, 'embed_rewards'),
  };
}

/** [B, T, S] -> [B, T, D] */
function embedStates(parameters: ParameterRecord, states: Tensor, { model, ends }: EmbedOptions): Tensor {
  const plain = linear(parameters, states, { name: 'embed_state', stored: 'out-in' });
  const waves = wavesOf(states, model);
  const embedded = waves === null ? plain : add(plain, embedWaves(parameters, waves));
  if (ends === null) return embedded;
  return addLowRank(embedded, waves === null ? states : concat([states, waves], 2), ends.state);
}

/** [B, T, 2 f S] -> [B, T, D] */
function embedWaves(parameters: ParameterRecord, waves: Tensor): Tensor {
  const [batch = 0, steps = 0, count = 0] = waves.shape;
  const product = matMul(reshape(waves, [-1, count]), parameter(parameters, WAVES_NAME), false, true);
  return reshape(product, [batch, steps, -1]);
}

/** Sines of all values at the first frequency, their cosines less one, and so on: [B, T, S] -> [B, T, 2 f S]; null without waves. */
function wavesOf(states: Tensor, { observationWaves }: ModelConfig): Tensor | null {
  if (observationWaves === undefined) return null;
  const waves = observationWaves.flatMap((frequency) => {
    const angles = mul(states, frequency);
    // Less one: a value that never differs adds nothing, instead of a constant that would learn hundreds of times over.
    return [sin(angles), sub(cos(angles), 1)];
  });
  return concat(waves, 2);
}

/** [B, T] -> [B, T, 1, D] */
function embedScalars(parameters: ParameterRecord, x: Tensor, name: string): Tensor {
  const weight = reshape(parameter(parameters, `${name}.weight`), [-1]);
  const values = reshape(x, [...x.shape, 1, 1]);
  return add(mul(values, weight), parameter(parameters, `${name}.bias`));
}

/** Rows of the action table: tokens [B, ...] -> [B, ..., D]. No time code, no norm. */
export function embedActions(parameters: ParameterRecord, tokens: Tensor, ends: EmbedChanges | null): Tensor {
  const table = parameter(parameters, 'embed_action_disc.weight');
  const embedded = gather(table, tokens);
  if (ends === null) return embedded;
  const rows = table.shape[0];
  const chosen = reshape(oneHot(reshape(tokens, [-1]), rows, 1, 0, 'float32'), [...tokens.shape, rows]);
  return addLowRank(embedded, chosen, ends.actions);
}

/** Codes of absolute timesteps: [B, T] -> [B, T, 1, D]. */
export function timeCodes(parameters: ParameterRecord, timesteps: Tensor): Tensor {
  const codes = gather(parameter(parameters, 'embed_timestep.weight'), timesteps);
  const width = codes.shape[codes.shape.length - 1]!;
  return reshape(codes, [...timesteps.shape, 1, width]);
}

/** Adds the one position code that every token shares: the reference passes position 0 for all of them (spec §1.2, item 7). */
export function addPositionCode(parameters: ParameterRecord, tokens: Tensor): Tensor {
  const table = parameter(parameters, 'encoder.wpe.weight');
  return add(tokens, reshape(slice(table, [0, 0], [1, table.shape[1]!]), [-1]));
}
