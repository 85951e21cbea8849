import type { ConstantData, GraphNode } from './graph.ts';

/** TensorFlow's numbers of the types. */
const FLOAT32 = 1;
const BFLOAT16 = 14;
/** Below it, changing the type costs more than the product saves, and what is small decides: keys, modulators, scores. */
const LEAST_LENGTH = 128;
const LEAST_ROWS = 32;
const PRODUCTS = new Set(['MatMul', 'BatchMatMul', 'BatchMatMulV2']);

/**
 * The same graph with large plain matrix products in bfloat16: their operands are rounded, oneDNN sums in float32, the
 * result is float32 again. Attention scores, modulators and the choice of a key stay in float32.
 *
 * oneDNN's own mode (`ONEDNN_DEFAULT_FPMATH_MODE`) is no substitute: it does nothing with AVX512-BF16 alone, and rounds all products where there is AMX.
 */
export function withBfloat16Products(nodes: readonly GraphNode[]): GraphNode[] {
  const byName = new Map(nodes.map((node) => [node.name, node]));
  const rounded = new Map<string, string>();
  const result: GraphNode[] = [];
  const round = (reference: string): string => {
    const known = rounded.get(reference);
    if (known !== undefined) return known;
    const node = roundedNode(reference, byName.get(reference));
    result.push(node);
    rounded.set(reference, node.name);
    return node.name;
  };
  for (const node of nodes) {
    if (!isLargeProduct(node, byName)) {
      result.push(node);
      continue;
    }
    const name = `${node.name}/bfloat16`;
    // XLA would compute it in float32 after all; what stands between products it may still join.
    const own = { T: { kind: 'type', value: BFLOAT16 }, _XlaCompile: { kind: 'bool', value: false } } as const;
    const attributes = { ...node.attributes, ...own };
    result.push({ ...node, name, inputs: node.inputs.map(round), attributes });
    result.push({ ...castNode(name, { from: BFLOAT16, to: FLOAT32 }), name: node.name, shapes: node.shapes ?? [] });
  }
  return result;
}

/** `[.., m, k]` by `[.., k, n]` with at most one leading row of 1, not fed from outside. */
function isLargeProduct(node: GraphNode, byName: ReadonlyMap<string, GraphNode>): boolean {
  const type = node.attributes['T'];
  if (!PRODUCTS.has(node.op) || type?.kind !== 'type' || type.value !== FLOAT32) return false;
  const left = shapeOf(node.inputs[0]!, byName);
  const result = node.shapes?.[0] ?? [];
  if ([...left.slice(0, -2), ...result.slice(0, -2)].some((length) => length !== 1)) return false;
  const [rows = 0, columns = 0] = result.slice(-2);
  const summed = left.reduce((product, length) => product * length, 1) / rows;
  if (rows < LEAST_ROWS || columns < LEAST_LENGTH || summed < LEAST_LENGTH) return false;
  return !isFromOutside(node.inputs[0]!, byName);
}

/** Whether it is an input as it came. Observations keep all their digits: positions differ in the fourth. */
function isFromOutside(reference: string, byName: ReadonlyMap<string, GraphNode>): boolean {
  const node = byName.get(reference);
  if (node?.op === 'Reshape' || node?.op === 'Identity') return isFromOutside(node.inputs[0]!, byName);
  return node?.op === 'Placeholder';
}

function shapeOf(reference: string, byName: ReadonlyMap<string, GraphNode>): readonly number[] {
  const [name = '', port = '0'] = reference.split(':');
  return byName.get(name)?.shapes?.[Number(port)] ?? [];
}

function roundedNode(reference: string, node: GraphNode | undefined): GraphNode {
  const name = `${reference.replace(':', '_')}/rounded`;
  const value = node?.attributes['value'];
  if (node?.op !== 'Const' || value?.kind !== 'constant') {
    return { ...castNode(reference, { from: FLOAT32, to: BFLOAT16 }), name };
  }
  const attributes = {
    dtype: { kind: 'type', value: BFLOAT16 },
    value: { kind: 'constant', value: roundedConstant(value.value) },
  } as const;
  return { ...node, name, attributes };
}

function castNode(
  input: string,
  { from, to }: { readonly from: number; readonly to: number },
): Omit<GraphNode, 'name'> {
  return {
    op: 'Cast',
    inputs: [input],
    attributes: {
      SrcT: { kind: 'type', value: from },
      DstT: { kind: 'type', value: to },
      Truncate: { kind: 'bool', value: false },
    },
  };
}

/** Bfloat16 is the upper half of float32, rounded to the nearest, to even where two are as near. */
function roundedConstant({ shape, bytes }: ConstantData): ConstantData {
  const bits = new Uint32Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length));
  const halves = Uint16Array.from(bits, (one) => (one + 0x7fff + ((one >>> 16) & 1)) >>> 16);
  return { dtype: BFLOAT16, shape, bytes: new Uint8Array(halves.buffer) };
}
