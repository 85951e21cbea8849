/** A TensorFlow graph as plain data: what recording produces and what is written into a SavedModel. */
export interface GraphNode {
  readonly name: string;
  readonly op: string;
  /** `node` or `node:port`. */
  readonly inputs: readonly string[];
  readonly attributes: Readonly<Record<string, GraphAttribute>>;
  /** Of the outputs, by port, where recording saw them. */
  readonly shapes?: readonly (readonly number[])[];
}

export type GraphAttribute =
  | { readonly kind: 'string'; readonly value: string }
  | { readonly kind: 'int'; readonly value: number | readonly number[] }
  | { readonly kind: 'float'; readonly value: number | readonly number[] }
  | { readonly kind: 'bool'; readonly value: boolean | readonly boolean[] }
  | { readonly kind: 'type'; readonly value: number }
  | { readonly kind: 'shape'; readonly value: readonly number[] }
  | { readonly kind: 'constant'; readonly value: ConstantData };

/** Numbers inside the graph: TensorFlow's number of the data type, the shape, and the values' bytes in row-major order. */
export interface ConstantData {
  readonly dtype: number;
  readonly shape: readonly number[];
  readonly bytes: Uint8Array;
}

/** The nodes that `outputs` depend on, in their order. */
export function reachableNodes(nodes: readonly GraphNode[], outputs: readonly string[]): GraphNode[] {
  const byName = new Map(nodes.map((node) => [node.name, node]));
  const reached = new Set<GraphNode>();
  const open = [...outputs];
  for (let reference = open.pop(); reference !== undefined; reference = open.pop()) {
    const node = byName.get(nodeName(reference));
    if (node === undefined || reached.has(node)) continue;
    reached.add(node);
    open.push(...node.inputs);
  }
  return nodes.filter((node) => reached.has(node));
}

function nodeName(reference: string): string {
  const colon = reference.indexOf(':');
  return colon === -1 ? reference : reference.slice(0, colon);
}
