import { describe, expect, it } from 'vitest';
import { batchSizes } from '../../../../server/tensors/compile-ladder.ts';
import { reachableNodes, type GraphNode } from '../../../../server/tensors/graph.ts';
import { GraphRecorder } from '../../../../server/tensors/graph-recorder.ts';
import type { NativeBinding } from '../../../../server/tensors/native-library.ts';

const FLOAT = 1;
const INT32 = 3;

/** The binding's constants; recording what is made inside never calls it. */
const binding = {
  TF_ATTR_STRING: 0, TF_ATTR_INT: 1, TF_ATTR_FLOAT: 2, TF_ATTR_BOOL: 3, TF_ATTR_TYPE: 4, TF_ATTR_SHAPE: 5,
} as unknown as NativeBinding; // prettier-ignore

function node(name: string, ...inputs: string[]): GraphNode {
  return { name, op: 'Add', inputs, attributes: {} };
}

describe('reachable nodes', () => {
  it('keeps the order and follows ports', () => {
    const nodes = [node('a'), node('unused', 'a'), node('b', 'a'), node('c', 'b:1', 'a')];
    expect(reachableNodes(nodes, ['c']).map(({ name }) => name)).toEqual(['a', 'b', 'c']);
  });
});

describe('graph recorder', () => {
  function recorder(): GraphRecorder {
    const made = new GraphRecorder(binding);
    made.enterScope('f0');
    return made;
  }

  it('knows inputs by their arrays, results by their ports, and constants by their content', () => {
    const made = recorder();
    const input = new Float32Array(2);
    const placeholder = made.declareInput(input, FLOAT, [2]);
    made.recordCreatedTensor(1, { dtype: FLOAT, shape: [2], values: input });
    made.recordCreatedTensor(2, { dtype: INT32, shape: [1], values: Int32Array.of(7) });
    made.recordCreatedTensor(3, { dtype: INT32, shape: [1], values: Int32Array.of(7) });
    made.recordCreatedTensor(4, { dtype: FLOAT, shape: [1], values: new Float32Array(Int32Array.of(7).buffer) });
    const output = (id: number) => ({ id, shape: [2], dtype: FLOAT });
    made.recordOperation('Split', {}, { inputIds: [1, 2, 3, 4], outputs: [output(5), output(6)] });
    const [, same, , split] = made.nodes;
    expect(split?.inputs).toEqual([placeholder, same?.name, same?.name, made.nodes[2]?.name]);
    made.recordOperation('Add', {}, { inputIds: [5, 6], outputs: [output(7)] });
    expect(made.nodes.at(-1)?.inputs).toEqual([split?.name, `${split?.name ?? ''}:1`]);
    expect(made.lastNode).toBe(made.nodes.at(-1)?.name);
  });

  it('fills large constants of one value instead of storing them', () => {
    const made = recorder();
    made.recordCreatedTensor(1, { dtype: FLOAT, shape: [64, 64], values: new Float32Array(4096).fill(0.5) });
    made.recordCreatedTensor(2, { dtype: FLOAT, shape: [64, 64], values: new Float32Array(4096).fill(0.5, 1) });
    expect(made.nodes.map(({ op }) => op)).toEqual(['Const', 'Const', 'Fill', 'Const']);
    const value = made.nodes[1]?.attributes['value'];
    expect(value).toMatchObject({ kind: 'constant', value: { dtype: FLOAT, shape: [] } });
    expect(value?.kind === 'constant' && [...value.value.bytes]).toEqual([0, 0, 0, 63]);
  });

  it('passes on attributes of every known type and refuses others', () => {
    const attributes = [
      { name: 'T', type: 4, value: FLOAT },
      { name: 'axis', type: 1, value: -1 },
      { name: 'strides', type: 1, value: [1, 2] },
      { name: 'alpha', type: 2, value: 0.5 },
      { name: 'adj_x', type: 3, value: true },
      { name: 'shape', type: 5, value: [2, 3] },
      { name: 'mode', type: 0, value: 'SAME' },
    ];
    const made = recorder();
    expect(Object.values(made.attributes('Op', attributes)).map(({ kind }) => kind)).toEqual([
      'type', 'int', 'int', 'float', 'bool', 'shape', 'string',
    ]); // prettier-ignore
    for (const value of [undefined, null, 1.5, 'a', [1, 'a'], {}]) {
      expect(() => made.attributes('Op', [{ name: 'axis', type: 1, value }])).toThrow(
        /operation Op has attribute axis/,
      );
    }
    expect(() => made.attributes('Op', [{ name: 'f', type: 8, value: 1 }])).toThrow(/of type 8/);
  });
});

describe('batch sizes', () => {
  it('double up to the largest', () => {
    expect(batchSizes(1)).toEqual([1]);
    expect(batchSizes(2)).toEqual([1, 2]);
    expect(batchSizes(48)).toEqual([1, 2, 4, 8, 16, 32, 48]);
  });
});
