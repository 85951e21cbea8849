import { describe, expect, it } from 'vitest';
import { withBfloat16Products } from '../../../../server/tensors/bfloat16-products.ts';
import type { GraphNode } from '../../../../server/tensors/graph.ts';

const FLOAT32 = 1;
const BFLOAT16 = 14;

interface Sizes {
  readonly rows: number;
  readonly summed: number;
  readonly columns: number;
}

function node(name: string, op: string, rest: Partial<GraphNode>): GraphNode {
  return { name, op, inputs: [], attributes: {}, ...rest };
}

/** A product of something computed and a constant of 1.00390625, which lies between two numbers of bfloat16. */
function product({ rows, summed, columns }: Sizes, from = 'Tanh'): GraphNode[] {
  const bytes = new Uint8Array(Float32Array.from({ length: summed * columns }, () => 1 + 2 ** -8).buffer);
  const value = { kind: 'constant', value: { dtype: FLOAT32, shape: [summed, columns], bytes } } as const;
  return [
    node('input', 'Placeholder', { shapes: [[rows, summed]] }),
    node('left', from, { inputs: ['input'], shapes: [[rows, summed]] }),
    node('weight', 'Const', { attributes: { value }, shapes: [[summed, columns]] }),
    node('product', 'BatchMatMulV2', {
      inputs: ['left', 'weight'],
      attributes: { T: { kind: 'type', value: FLOAT32 } },
      shapes: [[rows, columns]],
    }),
  ];
}

describe('products in bfloat16', () => {
  it('rounds both operands of a large product and gives its name to a float32 result', () => {
    const nodes = withBfloat16Products(product({ rows: 64, summed: 128, columns: 128 }));
    const byName = new Map(nodes.map((one) => [one.name, one]));
    expect(byName.get('product')).toMatchObject({ op: 'Cast', inputs: ['product/bfloat16'] });
    const rounded = byName.get('product/bfloat16')!;
    expect(rounded.attributes['T']).toEqual({ kind: 'type', value: BFLOAT16 });
    expect(rounded.inputs.map((name) => byName.get(name)?.op)).toEqual(['Cast', 'Const']);
  });

  it('rounds constants to the nearest number, to even in the middle', () => {
    const nodes = withBfloat16Products(product({ rows: 64, summed: 128, columns: 128 }));
    const value = nodes.find(({ name }) => name === 'weight/rounded')?.attributes['value'];
    if (value?.kind !== 'constant') throw new Error('no constant');
    expect(value.value.bytes.length).toBe(128 * 128 * 2);
    expect([...value.value.bytes.subarray(0, 2)]).toEqual([0x80, 0x3f]); // 1
  });

  it.each([
    ['few rows', { rows: 31, summed: 128, columns: 128 }, 'Tanh'],
    ['a narrow result', { rows: 64, summed: 128, columns: 64 }, 'Tanh'],
    ['a short sum, as of modulators', { rows: 64, summed: 8, columns: 128 }, 'Tanh'],
    ['observations, as they came', { rows: 64, summed: 204, columns: 128 }, 'Reshape'],
  ])('leaves %s alone', (_, sizes, from) => {
    const nodes = product(sizes, from);
    expect(withBfloat16Products(nodes)).toEqual(nodes);
  });
});
