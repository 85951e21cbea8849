import * as tf from '@tensorflow/tfjs-core';
import type { Tensor } from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, it } from 'vitest';
import { startBackend } from '../../../../server/tensors/backend.ts';
import { compile, compileGroup } from '../../../../server/tensors/compile.ts';
import { batchSizes, compileLadder } from '../../../../server/tensors/compile-ladder.ts';
import type { TensorSpec } from '../../../../server/tensors/tensor-spec.ts';
import type { ContractSubject } from './suite.ts';

type Inputs = Record<'x' | 'y', Tensor>;

const vector: TensorSpec = { shape: [4], dtype: 'float32' };
const specs = { x: vector, y: vector };
const x = Float32Array.of(1, 2, 3, 4);
const y = Float32Array.of(10, 20, 30, 40);

/** How compiled functions treat inputs, outputs, ownership, mistakes and memory; the same in whatever form they run. */
export function describeCompiledBehaviour(subject: ContractSubject): void {
  const options = subject.compile;
  beforeAll(() => startBackend(subject.backend));

  describe('inputs and outputs', () => {
    it('takes tensors and plain values, and leaves tensors to the caller', () => {
      const compiled = compile(({ x, y }: Inputs) => ({ sum: tf.add(x, y) }), specs, options);
      const held = tf.tensor1d(x);
      expect([...values(compiled.run({ x: held, y }).sum)]).toEqual([11, 22, 33, 44]);
      expect([...values(compiled.run({ x: held, y: held }).sum)]).toEqual([2, 4, 6, 8]);
      expect(held.isDisposed).toBe(false);
      compiled.dispose();
    });

    it('returns fresh tensors even for an input, a constant and the same result twice', () => {
      const outside = tf.tensor1d(y);
      const compiled = compile(
        ({ x }: Inputs) => {
          const twice = tf.mul(x, 2);
          return { same: x, outside, twice, again: twice };
        },
        specs,
        options,
      );
      const held = tf.tensor1d(x);
      const outputs = compiled.run({ x: held, y });
      expect([...values(outputs.same)]).toEqual([...x]);
      expect([...values(outputs.outside)]).toEqual([...y]);
      expect([...values(outputs.again)]).toEqual([...values(outputs.twice)]);
      tf.dispose(outputs);
      expect([held.isDisposed, outside.isDisposed]).toEqual([false, false]);
      expect([...values(held)]).toEqual([...x]);
      compiled.dispose();
    });

    it('hands outputs back in as inputs', () => {
      const compiled = compile(({ x, y }: Inputs) => ({ x: tf.add(x, y) }), specs, options);
      let state: Tensor = tf.tensor1d(x);
      for (let step = 0; step < 3; step++) {
        const next = compiled.run({ x: state, y }).x;
        state.dispose();
        state = next;
      }
      expect([...values(state)]).toEqual([31, 62, 93, 124]);
      compiled.dispose();
    });

    it('computes with whole numbers, truth values, empty tensors and scalars', () => {
      const compiled = compile(
        ({ whole, flag, empty, scale }: Record<'whole' | 'flag' | 'empty' | 'scale', Tensor>) => ({
          picked: tf.where(flag, whole, tf.neg(whole)),
          joined: tf.mul(tf.concat([empty, tf.ones([1, 2])], 0), scale),
        }),
        {
          whole: { shape: [3], dtype: 'int32' },
          flag: { shape: [3], dtype: 'bool' },
          empty: { shape: [0, 2], dtype: 'float32' },
          scale: { shape: [], dtype: 'float32' },
        },
        options,
      );
      const outputs = compiled.run({
        whole: Int32Array.of(1, 2, 3),
        flag: Uint8Array.of(1, 0, 1),
        empty: new Float32Array(0),
        scale: Float32Array.of(2.5),
      });
      expect([...values(outputs.picked)]).toEqual([1, -2, 3]);
      expect([...values(outputs.joined)]).toEqual([2.5, 2.5]);
      compiled.dispose();
    });

    it('takes what a tensor outside holds as it was when compiled', () => {
      const outside = tf.tensor1d(y);
      const compiled = compile(({ x }: Inputs) => ({ z: tf.add(x, outside) }), specs, options);
      expect([...values(compiled.run({ x, y }).z)]).toEqual([11, 22, 33, 44]);
      compiled.dispose();
    });
  });

  describe('groups and ladders', () => {
    it('compiles several functions that share what they take from outside', () => {
      const weight = tf.randomUniform([64, 4], -1, 1, 'float32', 7);
      const group = compileGroup(
        {
          one: { fn: ({ x }: Inputs) => ({ z: tf.sum(tf.mul(weight, x)) }), specs },
          two: { fn: ({ y }: Inputs) => ({ z: tf.max(tf.mul(weight, y)) }), specs },
        },
        options,
      );
      const one = values(group.functions.one.run({ x, y }).z)[0];
      expect(one).toBeCloseTo(values(tf.sum(tf.mul(weight, x)))[0]!, 4);
      group.functions.one.dispose();
      expect(values(group.functions.two.run({ x, y }).z)[0]).toBeCloseTo(values(tf.max(tf.mul(weight, y)))[0]!, 4);
      group.dispose();
    });

    it('fills batches up to a compiled size and cuts the results', () => {
      const ladder = compileLadder(
        ({ rows, shift }: Record<'rows' | 'shift', Tensor>) => ({
          doubled: tf.add(tf.mul(rows, 2), shift),
          first: tf.argMax(rows, 1),
          shift: tf.add(shift, 1),
        }),
        { rows: { shape: ['batch', 3], dtype: 'float32' }, shift: { shape: [3], dtype: 'float32' } },
        { ...options, sizes: batchSizes(6) },
      );
      expect(ladder.sizes).toEqual([1, 2, 4, 6]);
      const shift = Float32Array.of(0, 1, 2);
      for (const batch of [1, 2, 3, 5, 6]) {
        const rows = Float32Array.from({ length: batch * 3 }, (_, i) => i % 4);
        const held = tf.tensor2d(rows, [batch, 3]);
        for (const input of [rows, held]) {
          const outputs = ladder.run({ rows: input, shift });
          expect(outputs.doubled.shape).toEqual([batch, 3]);
          expect([...values(outputs.doubled)]).toEqual([...rows].map((value, i) => value * 2 + (i % 3)));
          expect([...values(outputs.first)]).toEqual([...values(tf.argMax(held, 1))]);
          expect([...values(outputs.shift)]).toEqual([1, 2, 3]);
        }
      }
      expect(() => ladder.run({ rows: new Float32Array(21), shift })).toThrow(/7 rows, compiled for 1 to 6/);
      expect(() => ladder.run({ rows: new Float32Array(0), shift })).toThrow(/0 rows/);
      ladder.dispose();
    });

    it('refuses sizes that do not rise and batched inputs that differ in rows', () => {
      const spec = { shape: ['batch'], dtype: 'float32' } as const;
      const fn = ({ x, y }: Inputs) => ({ z: tf.add(x, y) });
      expect(() => compileLadder(fn, { x: spec, y: spec }, { ...options, sizes: [2, 2] })).toThrow(/rise/);
      const ladder = compileLadder(fn, { x: spec, y: spec }, { ...options, sizes: [2] });
      expect(() => ladder.run({ x: x.slice(0, 1), y: y.slice(0, 2) })).toThrow(/differ in rows: x 1, y 2/);
      ladder.dispose();
    });
  });

  describe('mistakes', () => {
    it.each([
      ['a missing input', { x }, /'y' takes float32 \[4\], got nothing/],
      ['too few values', { x: x.slice(1), y }, /'x' takes float32 \[4\], got Float32Array of 3/],
      ['the wrong kind of values', { x: Int32Array.of(1, 2, 3, 4), y }, /'x' takes float32 \[4\], got Int32Array of 4/],
      ['an unknown input', { x, y, yy: y }, /input yy/],
    ])('refuses %s', (_, inputs, message) => {
      const compiled = compile(({ x, y }: Inputs) => ({ z: tf.add(x, y) }), specs, options);
      const before = tf.memory().numTensors;
      expect(() => compiled.run(inputs as unknown as Record<'x' | 'y', Float32Array>)).toThrow(message);
      expect(() => compiled.run(inputs as unknown as Record<'x' | 'y', Float32Array>)).toThrow(
        expect.objectContaining({ code: 'L2M_SHAPE_MISMATCH' }),
      );
      expect(tf.memory().numTensors).toBe(before);
      compiled.dispose();
    });

    it('refuses tensors of another shape or type, and disposed ones', () => {
      const compiled = compile(({ x, y }: Inputs) => ({ z: tf.add(x, y) }), specs, options);
      const disposed = tf.tensor1d(x);
      disposed.dispose();
      expect(() => compiled.run({ x: tf.ones([2, 2]), y })).toThrow(/takes float32 \[4\], got float32 \[2, 2\]/);
      expect(() => compiled.run({ x: tf.ones([4], 'int32'), y })).toThrow(/got int32 \[4\]/);
      expect(() => compiled.run({ x: disposed, y })).toThrow(/disposed before/);
      compiled.dispose();
    });

    it('refuses specs without an input or with an impossible length', () => {
      expect(() => compile(() => ({ z: tf.scalar(1) }), {}, options)).toThrow(/at least one input/);
      const wrong = { x: { shape: [2.5], dtype: 'float32' } } as const;
      expect(() => compile(({ x }) => ({ x }), wrong, options)).toThrow(/'x' is declared as float32 \[2.5\]/);
    });
  });

  describe('memory', () => {
    it('leaves no tensor behind in 1,000 runs', () => {
      const weight = tf.randomUniform([16, 16], -1, 1, 'float32', 5);
      const compiled = compile(
        ({ x }: Record<'x', Tensor>) => {
          const loss = (v: Tensor): tf.Scalar => tf.mean(tf.square(tf.tanh(tf.matMul(v, weight))));
          return { next: tf.sub(x, tf.grad(loss)(x)) };
        },
        { x: { shape: [8, 16], dtype: 'float32' } },
        options,
      );
      let state: Tensor = tf.ones([8, 16]);
      const before = tf.memory().numTensors;
      for (let run = 0; run < 1000; run++) {
        const { next } = compiled.run({ x: state });
        state.dispose();
        state = next;
      }
      expect(tf.memory().numTensors).toBe(before);
      compiled.dispose();
      expect(tf.memory().numTensors).toBe(before);
    });

    it('leaves no tensor behind when the function throws', () => {
      const before = tf.memory().numTensors;
      const fn = ({ x, y }: Inputs): Record<'z', Tensor> => {
        tf.add(x, y);
        throw new Error('meant to fail');
      };
      expect(() => compile(fn, specs, options).run({ x, y })).toThrow('meant to fail');
      expect(tf.memory().numTensors).toBe(before);
    });
  });
}

function values(tensor: Tensor): Float32Array {
  return tensor.dataSync<'float32'>();
}
