/** A process of its own that compiles one or two graphs. Arguments: folder for compiled graphs, factors. Prints the results. */
import * as tf from '@tensorflow/tfjs-core';
import type { Tensor } from '@tensorflow/tfjs-core';
import { startBackend } from '../../../../server/tensors/backend.ts';
import { compile } from '../../../../server/tensors/compile.ts';

const [place = '', ...factors] = process.argv.slice(2);
const { graphCache } = await startBackend({ backend: 'tensorflow-cpu', graphCache: place });
const results = factors.map((factor) => {
  const compiled = compile(
    ({ x }: Record<'x', Tensor>) => ({
      z: tf.sqrt(tf.add(tf.mul(tf.exp(x), Number(factor)), tf.square(tf.sub(x, 1)))),
    }),
    { x: { shape: [16], dtype: 'float32' } },
  );
  const { z } = compiled.run({ x: Float32Array.from({ length: 16 }, (_, i) => i / 16) });
  return [...z.dataSync()];
});
console.log(JSON.stringify({ graphCache, results }));
