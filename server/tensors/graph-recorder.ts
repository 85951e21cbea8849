import { L2mError } from '../errors.ts';
import type { ConstantData, GraphAttribute, GraphNode } from './graph.ts';
import type { NativeBinding, OpAttribute, TensorMetadata } from './native-library.ts';
import { elementCount } from './tensor-spec.ts';

/** Equal constants up to this size become one node: shapes, axes and scalars, of which a graph has hundreds. */
const SHARED_CONSTANT_BYTES = 256;
/** From this size on, a constant of one repeated value becomes a `Fill`: gradients of sums make many of these. */
const FILLED_CONSTANT_ELEMENTS = 1024;

/**
 * Collects graph nodes from the operations that tfjs kernels execute. Tensors are known by the binding's ids, which only
 * ever grow: an id never comes to mean another tensor, even after the first was deleted. A tensor that no recorded
 * operation produced and that is no declared input becomes a constant. Several functions recorded one after the other
 * share their constants.
 */
export class GraphRecorder {
  readonly nodes: GraphNode[] = [];
  readonly #binding: NativeBinding;
  readonly #sources = new Map<number, string>();
  readonly #constantsByContent = new Map<string, string>();
  readonly #placeholders = new Map<unknown, string>();
  #scope = '';

  constructor(binding: NativeBinding) {
    this.#binding = binding;
  }

  /** Names of the nodes recorded from now on start with `scope`: letters, digits, `_` and `/`. */
  enterScope(scope: string): void {
    this.#scope = scope;
  }

  /** Declares that the tensor made of exactly this array object is an input. @returns the placeholder's node name */
  declareInput(values: ArrayBufferView, dtype: number, shape: readonly number[]): string {
    const node = this.#add('Placeholder', [], {
      attributes: { dtype: { kind: 'type', value: dtype }, shape: { kind: 'shape', value: shape } },
      shapes: [shape],
    });
    this.#placeholders.set(values, node);
    return node;
  }

  recordCreatedTensor(id: number, data: { dtype: number; shape: readonly number[]; values: unknown }): void {
    const placeholder = this.#placeholders.get(data.values);
    if (placeholder !== undefined) {
      this.#sources.set(id, placeholder);
    } else if (ArrayBuffer.isView(data.values)) {
      this.#sources.set(id, this.#constant({ dtype: data.dtype, shape: [...data.shape], bytes: bytesOf(data.values) }));
    } else {
      throw new L2mError('L2M_CAPTURE_REFUSED', 'it makes a text tensor');
    }
  }

  /** @throws L2M_CAPTURE_REFUSED for an attribute that the graph's format is not known for */
  attributes(op: string, attributes: readonly OpAttribute[]): Record<string, GraphAttribute> {
    return Object.fromEntries(attributes.map((attribute) => [attribute.name, this.#attribute(op, attribute)] as const));
  }

  recordOperation(
    op: string,
    attributes: Record<string, GraphAttribute>,
    tensors: { inputIds: readonly number[]; outputs: readonly TensorMetadata[] },
  ): void {
    if (tensors.outputs.length === 0) {
      throw new L2mError('L2M_CAPTURE_REFUSED', `operation ${op} has an effect instead of a result`);
    }
    const inputs = tensors.inputIds.map((id) => this.#sourceOf(id));
    const shapes = tensors.outputs.map(({ shape }) => shape);
    const node = this.#add(op, inputs, { attributes, shapes });
    tensors.outputs.forEach(({ id }, port) => this.#sources.set(id, port === 0 ? node : `${node}:${port}`));
  }

  /** The node whose first output the last recorded operation is. */
  get lastNode(): string {
    return this.nodes.at(-1)!.name;
  }

  #sourceOf(id: number): string {
    const known = this.#sources.get(id);
    if (known !== undefined) return known;
    const source = this.#constant(this.#readOutside(id));
    this.#sources.set(id, source);
    return source;
  }

  /** The binding tells shape and type only of what it computes, so an identity is computed to learn them. */
  #readOutside(id: number): ConstantData {
    const [copy] = this.#binding.executeOp('Identity', [], [id], 1);
    const { id: copyId, dtype, shape } = copy!;
    const values = this.#binding.tensorDataSync(copyId);
    this.#binding.deleteTensor(copyId);
    if (!ArrayBuffer.isView(values)) throw new L2mError('L2M_CAPTURE_REFUSED', 'it uses a text tensor from outside');
    return { dtype, shape, bytes: bytesOf(values) };
  }

  #constant(data: ConstantData): string {
    const filled = elementCount(data.shape) >= FILLED_CONSTANT_ELEMENTS && repeatedValue(data);
    if (filled) return this.#fill(data.shape, filled);
    const key = data.bytes.length > SHARED_CONSTANT_BYTES ? undefined : contentKey(data);
    const known = key === undefined ? undefined : this.#constantsByContent.get(key);
    if (known !== undefined) return known;
    const node = this.#add('Const', [], {
      attributes: { dtype: { kind: 'type', value: data.dtype }, value: { kind: 'constant', value: data } },
      shapes: [data.shape],
    });
    if (key !== undefined) this.#constantsByContent.set(key, node);
    return node;
  }

  #fill(shape: readonly number[], value: ConstantData): string {
    const int32 = 3; // TensorFlow's DT_INT32
    const dimensions = this.#constant({ dtype: int32, shape: [shape.length], bytes: bytesOf(Int32Array.from(shape)) });
    const attributes = { T: value.dtype, index_type: int32 };
    const entries = Object.entries(attributes).map(([name, type]) => [name, { kind: 'type', value: type }] as const);
    const inputs = [dimensions, this.#constant(value)];
    return this.#add('Fill', inputs, { attributes: Object.fromEntries(entries), shapes: [shape] });
  }

  #add(op: string, inputs: readonly string[], rest: Required<Pick<GraphNode, 'attributes' | 'shapes'>>): string {
    const name = `${this.#scope}/${this.nodes.length}_${op.replace(/\W/g, '')}`;
    this.nodes.push({ name, op, inputs, ...rest });
    return name;
  }

  #attribute(op: string, { name, type, value }: OpAttribute): GraphAttribute {
    const { TF_ATTR_STRING, TF_ATTR_INT, TF_ATTR_FLOAT, TF_ATTR_BOOL, TF_ATTR_TYPE, TF_ATTR_SHAPE } = this.#binding;
    if (type === TF_ATTR_TYPE && typeof value === 'number') return { kind: 'type', value };
    if (type === TF_ATTR_BOOL && isOneOrMany(value, isBoolean)) return { kind: 'bool', value };
    if (type === TF_ATTR_INT && isOneOrMany(value, isInteger)) return { kind: 'int', value };
    if (type === TF_ATTR_FLOAT && isOneOrMany(value, isNumber)) return { kind: 'float', value };
    if (type === TF_ATTR_STRING && typeof value === 'string') return { kind: 'string', value };
    if (type === TF_ATTR_SHAPE && Array.isArray(value) && value.every(isInteger)) return { kind: 'shape', value };
    const got = `operation ${op} has attribute ${name} of type ${type} and value ${String(value)}, which is not known here`;
    throw new L2mError('L2M_CAPTURE_REFUSED', got);
  }
}

function bytesOf(values: ArrayBufferView): Uint8Array {
  return new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
}

function contentKey({ dtype, shape, bytes }: ConstantData): string {
  return `${dtype}:${shape.join(',')}:${Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('hex')}`;
}

/** The one value as a scalar if all elements have the same bytes. */
function repeatedValue({ dtype, shape, bytes }: ConstantData): ConstantData | undefined {
  const elementBytes = bytes.length / elementCount(shape);
  const view = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  // Every byte equals the one an element earlier exactly if all elements are equal; compare() stops at the first difference.
  const repeated = view.compare(view, elementBytes, view.length, 0, view.length - elementBytes) === 0;
  return repeated ? { dtype, shape: [], bytes: bytes.slice(0, elementBytes) } : undefined;
}

function isOneOrMany<T>(value: unknown, isOne: (one: unknown) => one is T): value is T | readonly T[] {
  return isOne(value) || (Array.isArray(value) && value.every(isOne));
}

const isBoolean = (value: unknown): value is boolean => typeof value === 'boolean';
const isNumber = (value: unknown): value is number => typeof value === 'number';
const isInteger = (value: unknown): value is number => Number.isInteger(value);
