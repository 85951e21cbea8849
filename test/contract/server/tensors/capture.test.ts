import { readdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import * as tf from '@tensorflow/tfjs-core';
import type { Tensor } from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, it } from 'vitest';
import { currentNativeLibrary, startBackend } from '../../../../server/tensors/backend.ts';
import type { TensorFunction } from '../../../../server/tensors/capture.ts';
import { compile, compileGroup, type CompileProgress } from '../../../../server/tensors/compile.ts';

type Inputs = Record<'x', Tensor>;

const specs = { x: { shape: [4], dtype: 'float32' } } as const;
const x = Float32Array.of(1, 2, 3, 4);

/** What only captured graphs have: things that cannot be recorded, constants, XLA, files, sessions. */
describe('capturing a function', () => {
  beforeAll(() => startBackend({ backend: 'tensorflow-cpu', xla: true, graphCache: false }));

  describe('refuses', () => {
    const refused: [string, TensorFunction<'x', string>, RegExp][] = [
      ['reading data', ({ x }) => ({ z: tf.scalar(x.dataSync()[0]!) }), /reads the data/],
      ['reading a result', ({ x }) => ({ z: tf.scalar(tf.sum(x).arraySync() as number) }), /reads the data/],
      ['looking at data later', ({ x }) => (void x.data(), { z: tf.neg(x) }), /reads the data/],
      ['random numbers', ({ x }) => ({ z: tf.add(x, tf.randomUniform([4])) }), /random numbers/],
      ['dropout', ({ x }) => ({ z: tf.dropout(x, 0.5) }), /random numbers/],
      ['an asynchronous function', (async ({ x }: Inputs) => Promise.resolve({ x })) as never, /asynchronous/],
      ['a function without results', (() => undefined) as never, /record of tensors/],
      ['a result that is no tensor', (() => ({ z: 3 })) as never, /'z' is not a tensor/],
      ['text', () => ({ z: tf.tensor(['a']) }), /text tensor/],
      ['an optimiser that assigns variables', assigning, /assigns a variable/],
      ['compiling inside', ({ x }) => compile(() => ({ z: tf.neg(x) }), specs).run({ x }), /another capture/],
      ['an attribute of unknown type', unknownAttribute, /operation Neg has attribute T of type/],
      ['an operation with an effect', printing, /operation NoOp has an effect/],
    ];
    it.each(refused)('%s', (_, fn, message) => {
      const before = { tensors: tf.memory().numTensors, random: Math.random, folders: graphFolders() };
      expect(() => compile(fn, specs)).toThrow(message);
      expect(() => compile(fn, specs)).toThrow(expect.objectContaining({ code: 'L2M_CAPTURE_REFUSED' }));
      expect({ tensors: tf.memory().numTensors, random: Math.random, folders: graphFolders() }).toEqual(before);
      expect([...tf.neg(x).dataSync()]).toEqual([-1, -2, -3, -4]);
    });

    it('a graph that TensorFlow does not take', () => {
      const { backend } = currentNativeLibrary()!;
      // A type that is left out is guessed when the operation runs eagerly, but not in a graph.
      const guessed: TensorFunction<'x', 'z'> = ({ x }) => ({ z: backend.executeSingleOutput('Neg', [], [x]) });
      expect(() => compile(guessed, specs)).toThrow(/TensorFlow does not load it: .*No attr named 'T'/);
      expect(graphFolders()).toEqual([]);
    });
  });

  it('needs only what the outputs depend on', () => {
    const unused = tf.ones([1000, 1000]);
    const lean = compile(({ x }: Inputs) => ({ z: tf.neg(x) }), specs);
    const wasteful = compile(({ x }: Inputs) => (tf.matMul(unused, unused), tf.exp(x), { z: tf.neg(x) }), specs);
    expect(wasteful.form).toEqual(lean.form);
    lean.dispose();
    wasteful.dispose();
  });

  it('takes an input that no output depends on', () => {
    const two = { ...specs, y: specs.x };
    const compiled = compile(({ x }: Record<'x' | 'y', Tensor>) => ({ z: tf.neg(x) }), two);
    expect([...compiled.run({ x, y: x }).z.dataSync()]).toEqual([-1, -2, -3, -4]);
    compiled.dispose();
  });

  it('writes a large constant of one value as that value', () => {
    const compiled = compile(({ x }: Inputs) => ({ z: tf.sum(tf.mul(tf.sum(x), tf.ones([3000, 1000]))) }), specs);
    expect(compiled.run({ x }).z.dataSync()[0]).toBe(30_000_000);
    expect(compiled.form).toMatchObject({ kind: 'graph' });
    expect(compiled.form.kind === 'graph' && compiled.form.byteCount).toBeLessThan(10_000);
    compiled.dispose();
  });

  it('stores constants that several functions share once', () => {
    const weight = tf.randomUniform([100, 100], -1, 1, 'float32', 3);
    const fn = ({ x }: Inputs): Record<'z', Tensor> => ({ z: tf.mul(tf.sum(weight), x) });
    const group = compileGroup({ one: { fn, specs }, two: { fn, specs }, three: { fn, specs } });
    const { form } = group.functions.one;
    expect(form.kind === 'graph' && form.byteCount).toBeLessThan(50_000);
    group.dispose();
  });

  it('reports its progress and whether XLA compiles it', () => {
    const reports: CompileProgress[] = [];
    const definition = { fn: ({ x }: Inputs) => ({ z: tf.exp(tf.neg(x)) }), specs };
    const group = compileGroup({ a: definition, b: definition }, { onProgress: (report) => reports.push(report) });
    expect(reports.map(({ stage, name }) => `${stage} ${name}`.trim())).toEqual([
      'record a', 'record b', 'load', 'warm-up a', 'warm-up b', 'ready',
    ]); // prettier-ignore
    expect(reports.map(({ finished }) => finished)).toEqual([0, 1, 2, 3, 4, 5]);
    expect(new Set(reports.map(({ total }) => total))).toEqual(new Set([5]));
    expect(group.functions.a.form).toMatchObject({ xla: true });
    const plain = compile(definition.fn, specs, { xla: false });
    expect(plain.form).toMatchObject({ xla: false });
    group.dispose();
    plain.dispose();
  });

  it('says what failed when a graph fails, and that it was disposed', () => {
    const both = { x: { shape: [3], dtype: 'float32' }, rows: { shape: [2], dtype: 'int32' } } as const;
    const gather = ({ x, rows }: Record<'x' | 'rows', Tensor>): Record<'z', Tensor> => ({ z: tf.gather(x, rows) });
    const compiled = compile(gather, both, { xla: false });
    const inputs = { x: Float32Array.of(1, 2, 3), rows: Int32Array.of(0, 9) };
    expect(() => compiled.run(inputs)).toThrow(/indices\[1\] = 9 is not in \[0, 3\)/);
    expect(() => compiled.run(inputs)).toThrow(expect.objectContaining({ code: 'L2M_GRAPH_FAILED' }));
    compiled.dispose();
    compiled.dispose();
    expect(() => compiled.run(inputs)).toThrow(/disposed before/);
  });

  it('leaves no session, no tensor of the library and no file behind', () => {
    const { backend } = currentNativeLibrary()!;
    const before = { tensors: backend.getNumOfTFTensors(), sessions: backend.getNumOfSavedModels() };
    const compiled = compile(({ x }: Inputs) => ({ z: tf.exp(x), again: x }), specs);
    expect(backend.getNumOfSavedModels()).toBe(before.sessions + 1);
    for (let run = 0; run < 100; run++) tf.dispose(compiled.run({ x }));
    expect(backend.getNumOfTFTensors()).toBe(before.tensors);
    compiled.dispose();
    expect(backend.getNumOfSavedModels()).toBe(before.sessions);
    expect(graphFolders()).toEqual([]);
  });

  it('keeps its memory over thousands of runs', () => {
    const large = { x: { shape: [256, 256], dtype: 'float32' } } as const;
    const compiled = compile(({ x }: Inputs) => ({ x: tf.add(tf.mul(x, 0.5), 1), y: tf.matMul(x, x) }), large);
    let state: Tensor = tf.ones([256, 256]);
    const step = (): void => {
      const outputs = compiled.run({ x: state });
      outputs.y.dispose();
      state.dispose();
      state = outputs.x;
    };
    for (let run = 0; run < 1000; run++) step();
    const before = process.memoryUsage().rss;
    for (let run = 0; run < 2000; run++) step();
    // 2,000 runs make 1 GB of outputs: had they stayed, the process would be three times its size.
    expect(process.memoryUsage().rss / before).toBeLessThan(1.05);
    compiled.dispose();
  });
});

function assigning({ x }: Inputs): Record<'z', Tensor> {
  const state = tf.variable(tf.zeros([4]));
  try {
    state.assign(x);
    return { z: tf.neg(state) };
  } finally {
    state.dispose();
  }
}

function unknownAttribute({ x }: Inputs): Record<'z', Tensor> {
  const { backend } = currentNativeLibrary()!;
  const type = backend.binding.TF_ATTR_TYPE;
  return { z: backend.executeSingleOutput('Neg', [{ name: 'T', type, value: 'float32' }], [x]) };
}

function printing({ x }: Inputs): Record<'z', Tensor> {
  currentNativeLibrary()!.backend.binding.executeOp('NoOp', [], [], 0);
  return { z: tf.neg(x) };
}

function graphFolders(): string[] {
  return readdirSync(tmpdir()).filter((name) => name.startsWith('l2m-graph-'));
}
