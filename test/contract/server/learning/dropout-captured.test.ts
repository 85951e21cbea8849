import { beforeAll, describe, expect, test } from 'vitest';
import { tensor } from '@tensorflow/tfjs-core';
import { DROPOUT_KEYS_SHAPE, dropoutKeys, dropoutOf, REFERENCE_DROPOUT } from '../../../../agent/learning/dropout.ts';
import { randomSource } from '../../../../agent/random.ts';
import { currentBackend, startBackend } from '../../../../server/tensors/backend.ts';
import { compile } from '../../../../server/tensors/compile.ts';

const specs = {
  keys: { shape: DROPOUT_KEYS_SHAPE, dtype: 'float32' },
  x: { shape: [4, 33, 48], dtype: 'float32' },
} as const;
const keysOf = (seed: number) => dropoutKeys(randomSource(seed));
const ones = new Float32Array(4 * 33 * 48).fill(1);

describe('masks of dropout in a graph', () => {
  beforeAll(() => startBackend({ backend: 'auto', threadCount: 1 }));

  test.each([true, false])('are those of the same operations run one by one (XLA: %s)', (xla) => {
    const run = (capture: boolean) =>
      compile(
        ({ keys, x }) => {
          const dropout = dropoutOf(keys, REFERENCE_DROPOUT);
          return { first: dropout(x, 'embedding'), second: dropout(x, 'residual') };
        },
        specs,
        { capture, xla },
      );
    const [captured, eager] = [run(true), run(false)];
    expect(captured.form.kind).toBe(currentBackend().capture ? 'graph' : 'eager');
    const seen = new Set<string>();
    for (const seed of [1, 2, 3]) {
      const inputs = { keys: keysOf(seed), x: tensor(ones, [4, 33, 48]) };
      const [one, other] = [captured.run(inputs), eager.run(inputs)];
      expect(one.first.dataSync()).toEqual(other.first.dataSync());
      expect(one.second.dataSync()).toEqual(other.second.dataSync());
      seen.add(String(one.first.dataSync())).add(String(one.second.dataSync()));
    }
    // One graph, other keys, other masks.
    expect(seen.size).toBe(6);
    captured.dispose();
    eager.dispose();
  });
});
