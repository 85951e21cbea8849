import * as tf from '@tensorflow/tfjs-core';
import type { Tensor } from '@tensorflow/tfjs-core';
import { booleans, floats, integers, type ContractCase } from './cases.ts';

const a = floats([3, 4], 1);
const b = floats([3, 4], 2);
const positive = floats([3, 4], 3, [0.2, 2]);
const column = floats([3, 1], 4);
const cube = floats([2, 3, 4], 5);

/** tfjs 4.22 has no right gradient for it: none at all, or one of the wrong shape. */
function withoutGradient({ name, inputs, fn }: ContractCase): ContractCase {
  return { name, inputs, fn };
}

/** A function of `x` alone, with its gradient. */
function unary(name: string, fn: (x: Tensor) => Tensor, input = a): ContractCase {
  return { name, inputs: { x: input }, fn: ({ x }) => ({ y: fn(x!) }), gradients: ['x'] };
}

function binary(name: string, fn: (x: Tensor, y: Tensor) => Tensor, inputs = { x: a, y: b }): ContractCase {
  return { name, inputs, fn: ({ x, y }) => ({ z: fn(x!, y!) }), gradients: ['x', 'y'] };
}

/** Whole or logical results: no gradient, and every entry identical. */
function exact(name: string, inputs: ContractCase['inputs'], fn: (x: Tensor, y: Tensor) => Tensor): ContractCase {
  return { name, inputs, fn: ({ x, y }) => ({ z: fn(x!, y!) }) };
}

const elementwise: ContractCase[] = [
  binary('add', tf.add),
  binary('add with broadcasting', tf.add, { x: a, y: column }),
  binary('sub', tf.sub),
  binary('mul', tf.mul),
  binary('mul with broadcasting', tf.mul, { x: cube, y: floats([4], 6) }),
  binary('div', tf.div, { x: a, y: positive }),
  withoutGradient(binary('divNoNan', tf.divNoNan, { x: a, y: positive })),
  binary('pow', tf.pow, { x: positive, y: b }),
  binary('maximum', tf.maximum),
  binary('minimum', tf.minimum),
  binary('squaredDifference', tf.squaredDifference),
  binary('addN', (x, y) => tf.addN([x, y, x])),
  unary('neg', tf.neg),
  unary('abs', tf.abs),
  unary('exp', tf.exp),
  unary('floor', tf.floor),
  unary('log', tf.log, positive),
  unary('log1p', tf.log1p, positive),
  unary('sqrt', tf.sqrt, positive),
  unary('rsqrt', tf.rsqrt, positive),
  unary('square', tf.square),
  unary('reciprocal', tf.reciprocal, positive),
  unary('erf', tf.erf),
  unary('tanh', tf.tanh),
  unary('sigmoid', tf.sigmoid),
  unary('softplus', tf.softplus),
  unary('relu', tf.relu),
  unary('sin and cos', (x) => tf.add(tf.sin(x), tf.cos(x))),
  unary('clipByValue', (x) => tf.clipByValue(x, -0.5, 0.25)),
  unary('exact GELU', (x) => tf.mul(tf.mul(x, 0.5), tf.add(tf.erf(tf.div(x, Math.SQRT2)), 1))),
  exact('sign, step and floor', { x: a }, (x) => tf.stack([tf.sign(x), tf.step(x), tf.floor(tf.mul(x, 3))])),
  exact('floorDiv and mod of whole numbers', { x: integers([3, 4], 50), y: integers([3, 4], 5, 2) }, (x, y) => {
    const divisor = tf.add(y, tf.scalar(1, 'int32'));
    return tf.stack([tf.floorDiv(x, divisor), tf.mod(x, divisor)]);
  }),
  exact('comparisons', { x: integers([3, 4], 3), y: integers([3, 4], 3, 2) }, (x, y) =>
    tf.stack([
      tf.equal(x, y),
      tf.notEqual(x, y),
      tf.less(x, y),
      tf.lessEqual(x, y),
      tf.greater(x, y),
      tf.greaterEqual(x, y),
    ]),
  ),
  exact('logic', { x: booleans([3, 4]), y: booleans([3, 4], 2) }, (x, y) =>
    tf.stack([tf.logicalAnd(x, y), tf.logicalOr(x, y), tf.logicalNot(x)]),
  ),
  exact('casts', { x: floats([3, 4], 1, [0, 9]), y: booleans([3, 4]) }, (x, y) =>
    tf.add(tf.cast(tf.cast(x, 'int32'), 'float32'), tf.cast(y, 'float32')),
  ),
  {
    name: 'where',
    inputs: { condition: booleans([3, 4]), x: a, y: b },
    fn: ({ condition, x, y }) => ({ z: tf.where(condition!, x!, y!) }),
    gradients: ['x', 'y'],
  },
];

const reductions: ContractCase[] = [
  unary('sum of all', (x) => tf.sum(x)),
  unary('sum over axes', (x) => tf.sum(x, [0, 2], true), cube),
  unary('mean over the last axis', (x) => tf.mean(x, -1, true), cube),
  unary('max over an axis', (x) => tf.max(x, 1), cube),
  unary('min over an axis', (x) => tf.min(x, -1, true), cube),
  unary('logSumExp', (x) => tf.logSumExp(x, 1)),
  withoutGradient(unary('cumsum', (x) => tf.cumsum(x, 1), cube)),
  unary('norm', (x) => tf.norm(x)),
  // Numbers that nearly cancel, summed up in single precision in whatever order a backend likes.
  { ...unary('mean of a large tensor', (x) => tf.mean(x), floats([40, 60], 7)), tolerance: 4e-6 },
  exact('argMax and argMin', { x: cube }, (x) => tf.stack([tf.argMax(x, 2), tf.argMin(x, 2)])),
  exact('any and all', { x: booleans([3, 4]) }, (x) => tf.stack([tf.any(x, 1), tf.all(x, 1)])),
  exact('topk indices', { x: cube }, (x) => tf.topk(x, 2).indices),
];

const products: ContractCase[] = [
  binary('matMul', (x, y) => tf.matMul(x, y), { x: a, y: floats([4, 5], 8) }),
  binary('matMul, first transposed', (x, y) => tf.matMul(x, y, true), { x: floats([4, 3], 9), y: floats([4, 5], 8) }),
  binary('matMul, second transposed', (x, y) => tf.matMul(x, y, false, true), { x: a, y: floats([5, 4], 8) }),
  binary('matMul, both transposed', (x, y) => tf.matMul(x, y, true, true), {
    x: floats([4, 3], 9),
    y: floats([5, 4], 8),
  }),
  binary('batched matMul', (x, y) => tf.matMul(x, y, false, true), {
    x: floats([2, 3, 5, 4], 1),
    y: floats([2, 3, 6, 4], 2),
  }),
  binary('batched matMul, first transposed', (x, y) => tf.matMul(x, y, true), {
    x: floats([6, 4, 3], 1),
    y: floats([6, 4, 5], 2),
  }),
  withoutGradient(
    binary('matMul with one matrix for the batch', (x, y) => tf.matMul(x, y), { x: cube, y: floats([1, 4, 5], 2) }),
  ),
  {
    ...binary('matMul 64 × 128 × 96', (x, y) => tf.matMul(x, y), { x: floats([64, 128], 1), y: floats([128, 96], 2) }),
  },
  binary('outer product', (x, y) => tf.outerProduct(x as tf.Tensor1D, y as tf.Tensor1D), {
    x: floats([3]),
    y: floats([4]),
  }),
];

const shapes: ContractCase[] = [
  unary('reshape', (x) => tf.reshape(x, [4, 6]), cube),
  unary('transpose', (x) => tf.transpose(x, [2, 0, 1]), cube),
  unary('slice', (x) => tf.slice(x, [0, 1, 1], [2, 2, -1]), cube),
  withoutGradient(unary('stridedSlice', (x) => tf.stridedSlice(x, [0, 0, 3], [2, 3, 0], [1, 2, -1]), cube)),
  unary('tile', (x) => tf.tile(x, [2, 3])),
  unary('broadcastTo', (x) => tf.broadcastTo(x, [2, 3, 4])),
  unary('pad', (x) => tf.pad(x, [[1, 0], [0, 2]], 0)), // prettier-ignore
  unary('expandDims and squeeze', (x) => tf.squeeze(tf.expandDims(x, 1), [1])),
  unary('split', (x) => tf.add(...(tf.split(x, 2, 2) as [Tensor, Tensor])), cube),
  unary('uneven split', (x) => tf.split(x, [1, 3], 2)[1]!, cube),
  unary('unstack and stack', (x) => tf.stack(tf.unstack(x, 1).reverse(), 0), cube),
  unary('reverse', (x) => tf.reverse(x, 1), cube),
  binary('concat', (x, y) => tf.concat([x, y, x], 1)),
  exact('constants of a shape', { x: a }, (x) =>
    tf.addN([tf.zerosLike(x), tf.onesLike(x), tf.fill([3, 4], 2.5), tf.reshape(tf.range(0, 12, 1, 'float32'), [3, 4])]),
  ),
  exact('oneHot', { x: integers([3, 4], 5) }, (x) => tf.oneHot(x, 5, 1, 0, 'float32')),
  exact('logical mask', { x: a }, () => tf.linalg.bandPart(tf.ones([6, 6]), -1, 0)),
];

const indexing: ContractCase[] = [
  {
    name: 'gather rows',
    inputs: { x: floats([7, 4], 1), indices: integers([2, 5], 7) },
    fn: ({ x, indices }) => ({ y: tf.gather(x!, indices!) }),
    gradients: ['x'],
  },
  {
    name: 'gather columns',
    inputs: { x: cube, indices: integers([5], 3) },
    fn: ({ x, indices }) => ({ y: tf.gather(x!, indices!, 1) }),
    gradients: ['x'],
  },
  {
    name: 'gather within the batch',
    inputs: { x: cube, indices: integers([2, 5], 3) },
    fn: ({ x, indices }) => ({ y: tf.gather(x!, indices!, 1, 1) }),
  },
  {
    name: 'gather modulators, one matrix a sample',
    inputs: { x: floats([5, 6, 2], 1), indices: integers([4], 5), h: floats([4, 3, 6], 2) },
    fn: ({ x, indices, h }) => ({ y: tf.matMul(h!, tf.gather(x!, indices!)) }),
    gradients: ['x', 'h'],
  },
  {
    name: 'unsortedSegmentSum',
    inputs: { x: floats([6, 3], 1), indices: integers([6], 4) },
    fn: ({ x, indices }) => ({ y: tf.unsortedSegmentSum(x!, indices as tf.Tensor1D, 4) }),
    gradients: ['x'],
  },
  {
    name: 'scatterND and gatherND',
    inputs: { x: floats([3, 2], 1), indices: { shape: [3, 1], dtype: 'int32', values: Int32Array.of(4, 0, 2) } },
    fn: ({ x, indices }) => {
      const scattered = tf.scatterND(indices!, x!, [5, 2]);
      return { y: scattered, z: tf.gatherND(scattered, indices!) };
    },
  },
];

const probabilities: ContractCase[] = [
  unary('softmax', (x) => tf.softmax(x), floats([2, 3, 8], 1, [-4, 4])),
  unary('logSoftmax', (x) => tf.logSoftmax(x), floats([2, 8], 1, [-4, 4])),
  {
    name: 'cross entropy of tokens',
    inputs: { logits: floats([6, 8], 1, [-3, 3]), tokens: integers([6], 8) },
    fn: ({ logits, tokens }) => {
      const picked = tf.sum(tf.mul(tf.logSoftmax(logits!), tf.oneHot(tokens as tf.Tensor1D, 8)), -1);
      return { loss: tf.neg(tf.mean(picked)) };
    },
    gradients: ['logits'],
  },
  {
    name: 'softmaxCrossEntropy of the library',
    inputs: { logits: floats([6, 8], 1, [-3, 3]), tokens: integers([6], 8) },
    fn: ({ logits, tokens }) => ({ loss: tf.losses.softmaxCrossEntropy(tf.oneHot(tokens as tf.Tensor1D, 8), logits!) }),
    gradients: ['logits'],
  },
];

export const OP_CASES: readonly ContractCase[] = [
  ...elementwise,
  ...reductions,
  ...products,
  ...shapes,
  ...indexing,
  ...probabilities,
];
