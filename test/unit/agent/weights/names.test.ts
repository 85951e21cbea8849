import { beforeAll, describe, expect, it } from 'vitest';
import type { ModulationConfig } from '../../../../agent/config.ts';
import { dispose } from '../../../../agent/ops.ts';
import { randomSource } from '../../../../agent/random.ts';
import { initialArrays } from '../../../../agent/weights/initialise.ts';
import { readParameters } from '../../../../agent/weights/names.ts';
import type { NamedArray } from '../../../../agent/weights/safetensors.ts';
import { startBackend } from '../support/backend.ts';
import { SMALL_MODEL } from '../support/random-batch.ts';

const CONFIG = {
  model: SMALL_MODEL,
  modulation: { kind: 'lora', poolSize: 3, keyCount: 3, rank: 2, scaling: 2 },
} as const;

function arrays(): Map<string, NamedArray> {
  const drawn = [...initialArrays(CONFIG, randomSource(1))];
  return new Map(drawn.map(([name, array]) => [name, { dtype: 'F32', ...array }]));
}

describe('weight names', () => {
  beforeAll(() => startBackend('cpu'));

  it('reads every weight, drops one leading "module." and leaves what is not used', () => {
    const file = new Map<string, NamedArray>([...arrays()].map(([name, array]) => [`module.${name}`, array]));
    file.set('prompt.counts', { dtype: 'F32', shape: [3], data: new Float32Array(3) });
    for (const name of ['prompt.lookup', 'prompt.prefix_tokens']) {
      file.set(name, { dtype: 'I64', shape: [2], data: new BigInt64Array(2) });
    }
    file.set('predict_reward.bias', { dtype: 'F32', shape: [1], data: new Float32Array(1) });
    file.set('encoder.h.0.attn.bias', { dtype: 'U8', shape: [1, 1, 2, 2], data: new Uint8Array(4) });
    const parameters = readParameters(file, CONFIG);
    expect(Object.keys(parameters).sort()).toEqual([...arrays().keys()].sort());
    expect(parameters['embed_state.weight']!.shape).toEqual([16, 10]);
    dispose(parameters);
  });

  it.each([
    [
      'a missing weight',
      (file: Map<string, NamedArray>) => file.delete('encoder.ln_f.bias'),
      'it lacks encoder.ln_f.bias',
    ],
    [
      'a misspelt weight',
      (file: Map<string, NamedArray>) => file.set('embed_stat.weight', file.get('embed_state.weight')!),
      'did you mean embed_state.weight?',
    ],
    [
      'a weight of another size',
      (file: Map<string, NamedArray>) =>
        file.set('embed_ln.bias', { dtype: 'F32', shape: [8], data: new Float32Array(8) }),
      'embed_ln.bias is [8], expected [16]',
    ],
    [
      'whole numbers',
      (file: Map<string, NamedArray>) =>
        file.set('embed_ln.bias', { dtype: 'I32', shape: [16], data: new Int32Array(16) }),
      'holds I32, expected F32',
    ],
    [
      'a weight that is not finite',
      (file: Map<string, NamedArray>) =>
        file.set('embed_ln.bias', { dtype: 'F32', shape: [16], data: new Float32Array(16).fill(NaN) }),
      'not finite',
    ],
    [
      'a weight named like a property of every object',
      (file: Map<string, NamedArray>) =>
        file.set('constructor', { dtype: 'F32', shape: [1], data: new Float32Array(1) }),
      'unknown weight constructor',
    ],
  ])('refuses %s', (_, damage, message) => {
    const file = arrays();
    damage(file);
    expect(() => readParameters(file, CONFIG)).toThrow(message);
  });
});

describe('initial weights', () => {
  it('are the same for the same seed and differ for another', () => {
    const first = initialArrays(CONFIG, randomSource(5)).get('embed_state.weight')!.data;
    expect(initialArrays(CONFIG, randomSource(5)).get('embed_state.weight')!.data).toEqual(first);
    expect(initialArrays(CONFIG, randomSource(6)).get('embed_state.weight')!.data).not.toEqual(first);
  });

  it('follow the distributions of the reference', () => {
    const model = { ...SMALL_MODEL, width: 64, bins: 63 };
    const drawn = initialArrays({ ...CONFIG, model }, randomSource(1));
    const data = (name: string): Float32Array => drawn.get(name)!.data;
    const deviation = (name: string): number =>
      Math.sqrt(data(name).reduce((sum, x) => sum + x * x, 0) / data(name).length);
    const largest = (name: string): number => data(name).reduce((most, x) => Math.max(most, Math.abs(x)), 0);
    expect(deviation('encoder.h.0.mlp.c_fc.weight')).toBeCloseTo(0.02, 3);
    expect(deviation('encoder.h.0.mlp.c_proj.weight')).toBeCloseTo(0.02 / Math.sqrt(4), 3);
    expect(largest('encoder.h.1.attn.c_attn.bias')).toBe(0);
    expect(new Set(data('encoder.h.1.ln_2.weight'))).toEqual(new Set([1]));
    expect(largest('embed_state.weight')).toBeLessThanOrEqual(1 / Math.sqrt(10));
    expect(largest('embed_state.weight')).toBeGreaterThan(0.9 / Math.sqrt(10));
    expect(deviation('embed_action_disc.weight')).toBeCloseTo(1, 1);
    expect(data('embed_action_disc.weight').slice(63 * 64)).toEqual(new Float32Array(64));
    const bound = 1 / Math.sqrt(2 * 6 * 64 * 2);
    expect(largest('prompt.lora_a')).toBeLessThanOrEqual(bound);
    expect(largest('prompt.lora_a')).toBeGreaterThan(0.98 * bound);
    expect(largest('prompt.lora_b')).toBe(0);
    expect(largest('prompt.prompt_key')).toBeGreaterThan(0.9);
  });

  it.each<[string, ModulationConfig, Record<string, readonly [lowest: number, highest: number]>]>([
    [
      'LoRA',
      { kind: 'single-lora', rank: 2, scaling: 2 },
      // Bound 1 / sqrt(6 slots * rank 2 * width 64).
      { 'prompt.lora_a.weight': [-0.036084, 0.036084], 'prompt.lora_b.weight': [0, 0] },
    ],
    ['(IA)³', { kind: 'single-ia3' }, { 'prompt.prompt.weight': [1, 1] }],
    [
      'a pool of (IA)³',
      { kind: 'ia3', poolSize: 9, keyCount: 9 },
      { 'prompt.prompt': [1, 1], 'prompt.prompt_key': [-1, 1] },
    ],
    ['a prompt', { kind: 'single-prompt', form: 'key-values', length: 5 }, { 'prompt.prompt.weight': [-1, 1] }],
    [
      'a pool of prompts',
      { kind: 'prompt-pool', form: 'tokens', poolSize: 9, keyCount: 9, length: 5, selected: 2 },
      { 'prompt.prompt': [-1, 1], 'prompt.prompt_key': [-1, 1] },
    ],
  ])('of %s lie where those of the reference do', (_, modulation, ranges) => {
    const drawn = initialArrays({ model: { ...SMALL_MODEL, width: 64 }, modulation }, randomSource(1));
    const found = Object.keys(Object.fromEntries(drawn)).filter((name) => name.startsWith('prompt.'));
    expect(found.sort()).toEqual(Object.keys(ranges).sort());
    for (const [name, [lowest, highest]] of Object.entries(ranges)) {
      const { data } = drawn.get(name)!;
      const [least, most] = [data.reduce((a, b) => Math.min(a, b)), data.reduce((a, b) => Math.max(a, b))];
      const margin = 0.02 * (highest - lowest);
      expect([least >= lowest, most <= highest, least <= lowest + margin, most >= highest - margin]).not.toContain(
        false,
      );
    }
  });

  it('of adapters are normal with deviation 0.02 and bias zero, so they start near the identity', () => {
    const config = { model: { ...SMALL_MODEL, width: 64 }, modulation: { kind: 'adapter', units: 16 } } as const;
    const drawn = initialArrays(config, randomSource(1));
    const names = [...drawn.keys()].filter((name) => name.includes('.adapter'));
    expect(names).toHaveLength(2 * 2 * 4);
    for (const name of names) {
      const { data } = drawn.get(name)!;
      const deviation = Math.sqrt(data.reduce((sum, x) => sum + x * x, 0) / data.length);
      expect(deviation, name).toBeCloseTo(name.endsWith('.bias') ? 0 : 0.02, 2);
    }
  });
});
