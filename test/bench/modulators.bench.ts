/**
 * How a batch whose windows have different modulators is best computed: by gathering each window's matrices, by grouping windows
 * of one modulator, or with all modulators at once, masked. The products of one pass of L2M-LoRA over a batch, as captured
 * graphs, in turns within one process. `npm run bench -- modulators [--model small] [--batch 64] [--pool 30] [--rounds 7] [--threads 1]`
 */
import { parseArgs } from 'node:util';
import * as tf from '@tensorflow/tfjs-core';
import { MODEL_PRESETS, tokensPerStep, type ModelPreset } from '../../agent/config.ts';
import { randomSource } from '../../agent/random.ts';
import { describeBackend, startBackend } from '../../server/tensors/backend.ts';
import { compile } from '../../server/tensors/compile.ts';
import type { CompiledFunction } from '../../server/tensors/compiled-function.ts';
import { median, ratiosOf, spread } from './turns.ts';

const { values: flags } = parseArgs({
  options: {
    model: { type: 'string', default: 'small' },
    batch: { type: 'string', default: '64' },
    pool: { type: 'string', default: '30' },
    rounds: { type: 'string', default: '7' },
    threads: { type: 'string', default: '1' },
  },
});
const model = MODEL_PRESETS[flags.model as ModelPreset];
const [batch, pool, rounds] = [flags.batch, flags.pool, flags.rounds].map(Number) as [number, number, number];
const RANK = 8;
const tokens = model.context * tokensPerStep(model);
const backend = await startBackend({ threadCount: Number(flags.threads) });
const random = randomSource(1);
const floats = (shape: readonly number[]): Float32Array =>
  Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, () => random.normal());

const widths = { x: [batch, tokens, model.width], down: [pool, model.width, RANK], up: [pool, RANK, model.width] };
const inputs = { x: floats(widths.x), down: floats(widths.down), up: floats(widths.up) };
const specs = Object.fromEntries(
  Object.entries(widths).map(([name, shape]) => [name, { shape, dtype: 'float32' as const }]),
);
/** [B] modulators of the windows; as mixed as selections of several tasks are, in order of modulator. */
function selectionOf(used: number): Int32Array {
  return Int32Array.from({ length: batch }, (_, i) => Math.floor((i * used) / batch));
}

/** Low-rank products of one slot of one block for the whole batch; a pass has three in each block. */
const WAYS: Readonly<Record<string, (i: Record<string, tf.Tensor>, selection: Int32Array) => tf.Tensor>> = {
  gather: ({ x, down, up, selected }) =>
    tf.matMul(tf.matMul(x!, tf.gather(down!, selected as tf.Tensor1D)), tf.gather(up!, selected as tf.Tensor1D)),
  // The best that grouping could be: the groups are known when the graph is made, and windows already lie in their order.
  grouped: ({ x, down, up }, selection) =>
    tf.concat(
      [...new Set(selection)].map((row) => {
        const first = selection.indexOf(row);
        const count = selection.lastIndexOf(row) - first + 1;
        const rows = tf.reshape(tf.slice(x!, [first, 0, 0], [count, tokens, model.width]), [-1, model.width]);
        const one = (from: tf.Tensor, shape: [number, number]): tf.Tensor =>
          tf.reshape(tf.slice(from, [row, 0, 0], [1, ...shape]), shape);
        const low = tf.matMul(rows, one(down!, [model.width, RANK]));
        return tf.reshape(tf.matMul(low, one(up!, [RANK, model.width])), [count, tokens, model.width]);
      }),
    ),
  masked: ({ x, down, up, selected }) => {
    const rows = tf.reshape(x!, [-1, model.width]);
    const all = tf.reshape(tf.transpose(down!, [1, 0, 2]), [model.width, pool * RANK]);
    const chosen = tf.reshape(tf.oneHot(selected as tf.Tensor1D, pool), [batch, 1, pool, 1]);
    const low = tf.mul(tf.reshape(tf.matMul(rows, all), [batch, tokens, pool, RANK]), tf.cast(chosen, 'float32'));
    const out = tf.matMul(tf.reshape(low, [-1, pool * RANK]), tf.reshape(up!, [pool * RANK, model.width]));
    return tf.reshape(out, [batch, tokens, model.width]);
  },
};

console.log(
  `${describeBackend(backend)}; width ${model.width}, ${batch} windows of ${tokens} tokens, pool of ${pool}, rank ${RANK}`,
);
for (const used of [1, 4, 10, pool]) {
  const selection = selectionOf(used);
  const named = { ...inputs, selected: selection };
  const graphs = Object.entries(WAYS).map(([name, way]): [string, CompiledFunction] => [
    name,
    compile<string, string>(
      (each) => ({ y: way(each, selection) }),
      { ...specs, selected: { shape: [batch], dtype: 'int32' } },
      { xla: false },
    ),
  ]);
  const times = new Map(graphs.map(([name]) => [name, [] as number[]]));
  for (let round = -1; round < rounds; round++) {
    for (const [name, graph] of graphs) {
      const before = process.cpuUsage();
      for (let call = 0; call < 5; call++) {
        const { y } = graph.run(named);
        y?.dataSync();
        y?.dispose();
      }
      const { user, system } = process.cpuUsage(before);
      // The first round warms up.
      if (round >= 0) times.get(name)?.push((user + system) / 5000);
    }
  }
  const gathered = times.get('gather') ?? [];
  console.log(`${used} modulators in use`);
  for (const [name, each] of times) {
    console.log(
      `  ${name.padEnd(8)} ${median(each).toFixed(2).padStart(8)} ms of processor  ${spread(ratiosOf(each, gathered))} × its time`,
    );
  }
  for (const [, graph] of graphs) graph.dispose();
}
