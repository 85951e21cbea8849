import * as tf from '@tensorflow/tfjs-core';
import type { Tensor } from '@tensorflow/tfjs-core';
import { floats, integers, type ContractCase, type NamedTensors } from './cases.ts';

/** Sizes of the small transformer below. B windows, L tokens, D width, H heads, V bins, P modulators of rank R. */
const B = 3;
const L = 7;
const D = 16;
const H = 4;
const V = 8;
const P = 5;
const R = 2;

const weights = {
  embedding: floats([V, D], 1),
  scale: floats([D], 2, [0.8, 1.2]),
  shift: floats([D], 3, [-0.1, 0.1]),
  attention: floats([D, 3 * D], 4, [-0.3, 0.3]),
  project: floats([D, D], 5, [-0.3, 0.3]),
  widen: floats([D, 4 * D], 6, [-0.3, 0.3]),
  narrow: floats([4 * D, D], 7, [-0.3, 0.3]),
  head: floats([D, V], 8, [-0.3, 0.3]),
};
const pool = { down: floats([P, D, R], 9, [-0.3, 0.3]), up: floats([P, R, 3 * D], 10, [-0.3, 0.3]) };
const batch = { tokens: integers([B, L], V, 11), targets: integers([B, L], V, 12), selected: integers([B], P, 13) };

function layerNorm(x: Tensor, scale: Tensor, shift: Tensor): Tensor {
  const centred = tf.sub(x, tf.mean(x, -1, true));
  const variance = tf.mean(tf.square(centred), -1, true);
  return tf.add(tf.mul(tf.mul(centred, tf.rsqrt(tf.add(variance, 1e-5))), scale), shift);
}

/** [B, L, D] times [D, N] as one product. */
function project(x: Tensor, weight: Tensor): Tensor {
  const [batchSize, length, width] = x.shape as [number, number, number];
  return tf.reshape(tf.matMul(tf.reshape(x, [-1, width]), weight), [batchSize, length, -1]);
}

/** [B, H, L, D/H] of one of the three parts of [B, L, 3D]. */
function heads(x: Tensor, part: number): Tensor {
  return tf.transpose(tf.reshape(tf.slice(x, [0, 0, part * D], [-1, -1, D]), [-1, L, H, D / H]), [0, 2, 1, 3]);
}

/** One block with a low-rank modulator a sample on the attention's first product, and logits for every token. */
function logits(inputs: NamedTensors): Tensor {
  const { embedding, scale, shift, attention, widen, narrow, head, tokens, selected, down, up } = inputs;
  let h = tf.gather(embedding!, tokens!);
  const u = layerNorm(h, scale!, shift!);
  const low = tf.matMul(tf.matMul(u, tf.gather(down!, selected!)), tf.gather(up!, selected!));
  const qkv = tf.add(project(u, attention!), low);
  const mask = tf.linalg.bandPart(tf.ones([L, L]), -1, 0);
  const scores = tf.div(tf.matMul(heads(qkv, 0), heads(qkv, 1), false, true), Math.sqrt(D / H));
  const allowed = tf.softmax(tf.add(scores, tf.mul(tf.sub(mask, 1), 1e4)));
  const mixed = tf.reshape(tf.transpose(tf.matMul(allowed, heads(qkv, 2)), [0, 2, 1, 3]), [-1, L, D]);
  h = tf.add(h, project(mixed, inputs['project']!));
  const z = project(layerNorm(h, scale!, shift!), widen!);
  const active = tf.mul(tf.mul(z, 0.5), tf.add(tf.erf(tf.div(z, Math.SQRT2)), 1));
  return project(tf.add(h, project(active, narrow!)), head!);
}

function crossEntropy(inputs: NamedTensors): tf.Scalar {
  const chosen = tf.mul(tf.logSoftmax(logits(inputs)), tf.oneHot(inputs['targets'] as tf.Tensor2D, V));
  return tf.neg(tf.div(tf.sum(chosen), B * L));
}

/** Loss, gradients, clipping by the norm over all of them, and one step of AdamW: what training captures as one graph. */
function trainStep(inputs: NamedTensors): NamedTensors {
  const names = [...Object.keys(weights), ...Object.keys(pool)];
  const parameters = names.map((name) => inputs[name]!);
  const { value, grads } = tf.valueAndGrads((...present: Tensor[]) =>
    crossEntropy({ ...inputs, ...Object.fromEntries(names.map((name, i) => [name, present[i]!])) }),
  )(parameters);
  const norm = tf.sqrt(tf.addN(grads.map((gradient) => tf.sum(tf.square(gradient)))));
  const factor = tf.minimum(1, tf.div(0.25, tf.add(norm, 1e-6)));
  const outputs: NamedTensors = { loss: value, norm };
  names.forEach((name, i) => {
    const gradient = tf.mul(grads[i]!, factor);
    const first = tf.add(tf.mul(inputs[`first.${name}`]!, 0.9), tf.mul(gradient, 0.1));
    const second = tf.add(tf.mul(inputs[`second.${name}`]!, 0.999), tf.mul(tf.square(gradient), 0.001));
    const step = tf.div(first, tf.add(tf.sqrt(second), 1e-8));
    outputs[name] = tf.sub(
      tf.mul(parameters[i]!, tf.sub(1, tf.mul(inputs['rate']!, 0.01))),
      tf.mul(inputs['rate']!, step),
    );
    outputs[`first.${name}`] = first;
    outputs[`second.${name}`] = second;
  });
  return outputs;
}

function moments(prefix: string, range: [number, number]): ContractCase['inputs'] {
  const entries = Object.entries({ ...weights, ...pool });
  return Object.fromEntries(entries.map(([name, { shape }], i) => [`${prefix}.${name}`, floats(shape, 40 + i, range)]));
}

const model = { ...weights, ...pool, ...batch };

export const MODEL_CASES: readonly ContractCase[] = [
  {
    name: 'a transformer block with a modulator a sample',
    inputs: model,
    fn: (inputs) => ({ logits: logits(inputs), tokens: tf.argMax(logits(inputs), -1) }),
  },
  {
    name: 'the gradients of its loss',
    inputs: model,
    fn: (inputs) => ({ loss: crossEntropy(inputs) }),
    gradients: [...Object.keys(weights), ...Object.keys(pool)],
    // Sums of up to B·L·4D products; single precision leaves about this much.
    tolerance: 4e-6,
  },
  {
    name: 'a whole training step',
    inputs: {
      ...model,
      ...moments('first', [-1e-3, 1e-3]),
      ...moments('second', [1e-6, 2e-6]),
      rate: { shape: [], dtype: 'float32', values: Float32Array.of(1e-3) },
    },
    fn: trainStep,
    tolerance: 4e-6,
  },
];
