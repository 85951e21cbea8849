import type { TaskContext } from '../../agent/context/task-context.ts';
import { tokensPerStep, type PolicyConfig } from '../../agent/config.ts';
import type { AttentionChoice } from '../../protocol/policy-messages.ts';
import type { Inspection } from '../rollouts/acting-policy.ts';
import type { DecisionSnapshot } from './decision-memory.ts';
import type { ExplainedArrays } from './host-messages.ts';

export interface InspectionParts {
  readonly config: PolicyConfig;
  readonly task: TaskContext;
  readonly snapshot: DecisionSnapshot;
  readonly explained: ExplainedArrays;
  readonly attention: AttentionChoice | null;
}

/** An explanation in the units and tokens of the task: padding left out, logits as probabilities, rewards unscaled. */
export function inspectionOf({ config, task, snapshot, explained, attention }: InspectionParts): Inspection {
  const { model, options } = config;
  const { step, version, selected, tokens, windows } = snapshot;
  const steps = windows.stepMask.reduce((sum, real) => sum + real, 0);
  const unscaled = (values: Float32Array): Float32Array =>
    values.slice(model.context - steps).map((value) => value * task.rewardScale);
  return {
    ...{ step, version, selected, tokens, model, binCentres: options.binCentres },
    probabilities: softmaxRows(explained.logits.subarray(0, tokens.length * model.bins), model.bins),
    returnsToGo: unscaled(windows.returnsToGo),
    rewards: unscaled(windows.rewards),
    similarities: explained.similarities,
    keys: explained.keys,
    shares: explained.shares,
    points: explained.points,
    attention:
      attention === null
        ? null
        : { choice: attention, weights: realTokens(explained.attention, { model, steps, dimensions: tokens.length }) },
  };
}

/** Softmax over each row of `width` logits, in a new array. */
function softmaxRows(logits: Float32Array, width: number): Float32Array {
  const out = new Float32Array(logits.length);
  for (let row = 0; row < logits.length; row += width) {
    const values = logits.subarray(row, row + width);
    const highest = values.reduce((max, value) => Math.max(max, value), -Infinity);
    const total = values.reduce((sum, value) => sum + Math.exp(value - highest), 0);
    values.forEach((value, i) => (out[row + i] = Math.exp(value - highest) / total));
  }
  return out;
}

/** Of a map [L, prompts + L]: rows and columns of real steps up to the last decided action; prompts stay in front. */
function realTokens(
  map: Float32Array,
  {
    model,
    steps,
    dimensions,
  }: { readonly model: PolicyConfig['model']; readonly steps: number; readonly dimensions: number },
): Float32Array {
  const perStep = tokensPerStep(model);
  const all = model.context * perStep;
  const columns = map.length / all;
  const prompts = columns - all;
  const first = (model.context - steps) * perStep;
  const count = (steps - 1) * perStep + 2 + dimensions;
  const out = new Float32Array(count * (prompts + count));
  for (let row = 0; row < count; row++) {
    const from = (first + row) * columns;
    const to = row * (prompts + count);
    out.set(map.subarray(from, from + prompts), to);
    out.set(map.subarray(from + prompts + first, from + prompts + first + count), to + prompts);
  }
  return out;
}
