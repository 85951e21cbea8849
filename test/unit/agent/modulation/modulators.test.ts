import { beforeAll, describe, expect, it } from 'vitest';
import { decide, type DecideOptions } from '../../../../agent/decision-transformer.ts';
import { gatherModulators } from '../../../../agent/modulation/gather.ts';
import { selectKeys, modulatorsOf } from '../../../../agent/modulation/match.ts';
import { matMul, tensor, tidy, type Tensor } from '../../../../agent/ops.ts';
import { randomSource } from '../../../../agent/random.ts';
import { initialiseParameters } from '../../../../agent/weights/initialise.ts';
import { startBackend, TEST_BACKENDS } from '../support/backend.ts';
import { randomBatch, SMALL_MODEL } from '../support/random-batch.ts';

const LORA = { kind: 'lora', poolSize: 4, keyCount: 4, rank: 2, scaling: 2 } as const;

describe.each(TEST_BACKENDS)('modulators on backend %s', (backend) => {
  beforeAll(() => startBackend(backend));

  it('change nothing while their outgoing matrices are zero', () => {
    const config = { model: SMALL_MODEL, modulation: LORA };
    const parameters = initialiseParameters(config, randomSource(1));
    const window = randomBatch(SMALL_MODEL, 5, randomSource(2));
    const options: DecideOptions = { ...config, actionDimensions: 3, routing: {} };
    const [modulated, bare] = tidy(() => [
      decide(parameters, window, options).logits.dataSync(),
      decide(parameters, window, { ...options, modulation: { kind: 'none' } }).logits.dataSync(),
    ]) as unknown as [Float32Array, Float32Array];
    expect(modulated).toEqual(bare);
  });

  it.each([1, 9])('reach hidden unit 4 d + j on the way in and D j + d on the way out (batch of %d)', (batch) => {
    // A batch larger than the pool lays the pool out first, a smaller one the selection.
    const [width, slots, rank] = [SMALL_MODEL.width, 6, LORA.rank];
    const [entry, block, slotIn, slotOut] = [2, 1, 3, 1] as const;
    const [rowIn, columnOut, channel] = [5, 7, 1] as const;
    const lengthIn = LORA.poolSize * SMALL_MODEL.blocks * slots * width * rank;
    const into = new Float32Array(lengthIn);
    const out = new Float32Array(lengthIn);
    into[(((entry * SMALL_MODEL.blocks + block) * slots + 2 + slotIn) * width + rowIn) * rank + channel] = 1;
    out[(((entry * SMALL_MODEL.blocks + block) * slots + 2 + slotOut) * rank + channel) * width + columnOut] = 1;
    const found = tidy(() => {
      const parameters = {
        'prompt.lora_a': tensor(into, [LORA.poolSize, SMALL_MODEL.blocks, slots, width, rank]),
        'prompt.lora_b': tensor(out, [LORA.poolSize, SMALL_MODEL.blocks, slots, rank, width]),
      };
      const selected = tensor(new Int32Array(batch).fill(entry), [batch], 'int32');
      const modulators = gatherModulators(parameters, selected, { model: SMALL_MODEL, modulation: LORA });
      const modulator = modulators[block]!;
      if (modulator.kind !== 'lora') throw new Error(modulator.kind);
      return matMul(modulator.hidden.in, modulator.hidden.out).dataSync();
    });
    const size = 4 * width;
    const hits = [...found.slice(0, size * size)].flatMap((value, i) =>
      value === 0 ? [] : [[Math.floor(i / size), i % size]],
    );
    expect(hits).toEqual([[4 * rowIn + slotIn, width * slotOut + columnOut]]);
  });

  it('are chosen key by key: penalties, excluded keys and shared modulators', () => {
    tidy(() => {
      const similarity = tensor(Float32Array.of(0.9, 0.5, 0.1, -0.2, 0.3, 0.8), [2, 3]);
      const read = (x: Tensor): number[] => Array.from(x.dataSync());
      expect(read(selectKeys(similarity, {}))).toEqual([0, 2]);
      expect(read(selectKeys(similarity, { inverseCounts: tensor([1e-8, 0.5, 0.5]) }))).toEqual([1, 2]);
      const scoreBias = tensor([0, 0, -1e9]);
      expect(read(selectKeys(similarity, { scoreBias }))).toEqual([0, 1]);
      const keyModulators = tensor([5, 5, 1], [3], 'int32');
      expect(read(modulatorsOf(selectKeys(similarity, {}), { keyModulators }))).toEqual([5, 1]);
    });
  });

  it('decide each window of a batch by its own modulator', () => {
    const config = { model: SMALL_MODEL, modulation: LORA };
    tidy(() => {
      const drawn = initialiseParameters(config, randomSource(1));
      const parameters = {
        ...drawn,
        'prompt.lora_b': tensor(noise(drawn['prompt.lora_b']!.size), drawn['prompt.lora_b']!.shape),
      };
      const window = randomBatch(SMALL_MODEL, 6, randomSource(2));
      const result = decide(parameters, window, { ...config, actionDimensions: 2, routing: {} });
      const keys = Array.from(result.selection!.keys.dataSync());
      expect(new Set(keys).size).toBeGreaterThan(1);
      const logits = result.logits.dataSync();
      for (const key of new Set(keys)) {
        const bias = new Float32Array(LORA.keyCount).fill(-1e9);
        bias[key] = 0;
        const forced = decide(parameters, window, {
          ...config,
          actionDimensions: 2,
          routing: { scoreBias: tensor(bias) },
        });
        const forcedLogits = forced.logits.dataSync();
        keys.forEach((chosen, row) => {
          const apart = Math.max(
            ...Array.from({ length: SMALL_MODEL.bins }, (_, i) => {
              const at = row * 2 * SMALL_MODEL.bins + i;
              return Math.abs(logits[at]! - forcedLogits[at]!);
            }),
          );
          if (chosen === key) expect(apart).toBeLessThan(1e-5);
          else expect(apart).toBeGreaterThan(1e-4);
        });
      }
    });
  });
});

function noise(length: number): Float32Array {
  const random = randomSource(9);
  return Float32Array.from({ length }, () => random.normal());
}
