import { invalidCheckpoint } from './manifest.ts';
import { readPickle, type PickleMeaning, type PickleValue } from './pickle-reader.ts';

/** Element types of PyTorch that occur in state dictionaries, by the name of their storage class. */
const STORAGE_TYPES = {
  FloatStorage: { type: 'float32', bytes: 4 },
  DoubleStorage: { type: 'float64', bytes: 8 },
  HalfStorage: { type: 'float16', bytes: 2 },
  BFloat16Storage: { type: 'bfloat16', bytes: 2 },
  LongStorage: { type: 'int64', bytes: 8 },
  IntStorage: { type: 'int32', bytes: 4 },
  ShortStorage: { type: 'int16', bytes: 2 },
  CharStorage: { type: 'int8', bytes: 1 },
  ByteStorage: { type: 'uint8', bytes: 1 },
  BoolStorage: { type: 'bool', bytes: 1 },
} as const;
type StorageType = (typeof STORAGE_TYPES)[keyof typeof STORAGE_TYPES]['type'];

/** Bytes of the archive that several tensors may share. */
export interface TorchStorage {
  readonly kind: 'storage';
  readonly type: StorageType;
  readonly itemBytes: number;
  /** Name of its entry below `data/`. */
  readonly key: string;
  /** Elements. */
  readonly count: number;
}

/** Where a tensor's elements lie, in elements of its storage. Every one of them lies inside. */
export interface TorchTensor {
  readonly kind: 'tensor';
  readonly storage: TorchStorage;
  readonly offset: number;
  readonly shape: readonly number[];
  readonly strides: readonly number[];
}

type Made = TorchStorage | TorchTensor;
type Value = PickleValue<Made>;

const RANK_LIMIT = 8;
const TENSOR_LIMIT = 65_536;

const MEANING: PickleMeaning<Made> = {
  allows: (name) => name in CALLS || storageTypeOf(name) !== undefined,
  call: (name, args) => (Object.hasOwn(CALLS, name) ? CALLS[name]?.(args) : undefined),
  persistent: storageFromId,
};

const CALLS: Readonly<Record<string, (args: readonly Value[]) => Value | undefined>> = {
  'collections OrderedDict': (args) => (args.length === 0 ? { kind: 'dict', entries: new Map() } : undefined),
  'torch._utils _rebuild_tensor_v2': tensorFromArguments,
  'torch._utils _rebuild_parameter': ([tensor]) => tensor,
};

/**
 * The tensors of a pickled state dictionary, by name; nothing of it is executed and no bytes of tensors are read yet.
 *
 * @param where named in errors
 * @returns the tensors, and the names of entries that are something else
 * @throws L2mError L2M_CHECKPOINT_INVALID
 */
export function torchStateDictionary(
  pickle: Uint8Array,
  where: string,
): { readonly tensors: ReadonlyMap<string, TorchTensor>; readonly others: readonly string[] } {
  const root = readPickle(pickle, MEANING, where);
  if (typeof root !== 'object' || root?.kind !== 'dict') throw invalidCheckpoint(where, 'it holds no state dictionary');
  if (root.entries.size > TENSOR_LIMIT) throw invalidCheckpoint(where, `it has ${root.entries.size} entries`);
  const tensors = new Map<string, TorchTensor>();
  const others: string[] = [];
  for (const [key, value] of root.entries) {
    const name = String(key);
    if (typeof value === 'object' && value?.kind === 'made' && value.value.kind === 'tensor') {
      tensors.set(name, value.value);
    } else others.push(name);
  }
  return { tensors, others };
}

function storageTypeOf(globalName: string): { readonly type: StorageType; readonly bytes: number } | undefined {
  const [module, name = ''] = globalName.split(' ');
  if (module !== 'torch' || !Object.hasOwn(STORAGE_TYPES, name)) return undefined;
  return STORAGE_TYPES[name as keyof typeof STORAGE_TYPES];
}

/** `('storage', torch.FloatStorage, '0', 'cpu', 1024)` */
function storageFromId(id: Value): Value | undefined {
  if (typeof id !== 'object' || id?.kind !== 'tuple') return undefined;
  const [tag, kind, key, , count] = id.items;
  if (tag !== 'storage' || typeof kind !== 'object' || kind?.kind !== 'global') return undefined;
  const known = storageTypeOf(kind.name);
  if (known === undefined || typeof key !== 'string' || !/^[A-Za-z0-9_-]{1,64}$/.test(key)) return undefined;
  if (!isSize(count)) return undefined;
  return { kind: 'made', value: { kind: 'storage', type: known.type, itemBytes: known.bytes, key, count } };
}

function tensorFromArguments([storage, offset, size, stride]: readonly Value[]): Value | undefined {
  const shape = sizesOf(size);
  const strides = sizesOf(stride);
  if (typeof storage !== 'object' || storage?.kind !== 'made' || storage.value.kind !== 'storage') return undefined;
  if (!isSize(offset) || shape === undefined || strides?.length !== shape.length) return undefined;
  const { value } = storage;
  const count = shape.reduce((product, length) => product * length, 1);
  // A view that repeats elements could claim more memory than there is in the file.
  if (count > value.count) return undefined;
  const last = shape.reduce((sum, length, axis) => sum + (length - 1) * (strides[axis] ?? 0), offset);
  if (count > 0 && last >= value.count) return undefined;
  return { kind: 'made', value: { kind: 'tensor', storage: value, offset, shape, strides } };
}

function sizesOf(value: Value | undefined): number[] | undefined {
  if (typeof value !== 'object' || value?.kind !== 'tuple' || value.items.length > RANK_LIMIT) return undefined;
  return value.items.every(isSize) ? value.items : undefined;
}

function isSize(value: Value | undefined): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;
}
