import { invalidCheckpoint } from './manifest.ts';
import type { L2mError } from '../errors.ts';
import { PickleBytes } from './pickle-bytes.ts';

/** What a pickle may hold here. A `made` value is what the caller of `readPickle` made of a global and its arguments. */
export type PickleValue<Made> =
  | null
  | boolean
  | number
  | string
  | { readonly kind: 'tuple' | 'list'; readonly items: PickleValue<Made>[] }
  | { readonly kind: 'dict'; readonly entries: Map<string | number, PickleValue<Made>> }
  | { readonly kind: 'global'; readonly name: string }
  | { readonly kind: 'made'; readonly value: Made };

/** What the pickle's few names stand for. Everything that is not made here is refused. */
export interface PickleMeaning<Made> {
  /** Whether the pickle may name it at all, `module name`. */
  allows(globalName: string): boolean;
  /** The result of calling a global; undefined refuses the call. */
  call(globalName: string, args: readonly PickleValue<Made>[]): PickleValue<Made> | undefined;
  /** The object a persistent id stands for; undefined refuses it. */
  persistent(id: PickleValue<Made>): PickleValue<Made> | undefined;
}

/** Deeper stacks and longer pickles than this belong to no checkpoint. */
const BYTES_LIMIT = 64 * 1024 * 1024;
const MARK = Symbol('mark');

/**
 * Reads a pickle without executing it: a stack machine of the few opcodes that a state dictionary consists of. Nothing is imported, no class is
 * built, no method is called; an unknown opcode or name ends the reading. Time and memory are linear in the bytes.
 *
 * @param where named in errors
 * @throws L2mError L2M_CHECKPOINT_INVALID with the position and what was found there
 */
export function readPickle<Made>(bytes: Uint8Array, meaning: PickleMeaning<Made>, where: string): PickleValue<Made> {
  if (bytes.byteLength > BYTES_LIMIT) throw invalidCheckpoint(where, `a pickle of ${bytes.byteLength} bytes`);
  return new PickleMachine(new PickleBytes(bytes, where), meaning).run();
}

class PickleMachine<Made> {
  readonly #input: PickleBytes;
  readonly #meaning: PickleMeaning<Made>;
  readonly #stack: (PickleValue<Made> | typeof MARK)[] = [];
  readonly #memo = new Map<number, PickleValue<Made>>();

  constructor(input: PickleBytes, meaning: PickleMeaning<Made>) {
    this.#input = input;
    this.#meaning = meaning;
  }

  run(): PickleValue<Made> {
    for (;;) {
      const opcode = this.#input.take(1)[0] ?? 0;
      // STOP
      if (opcode === 0x2e) return this.#pop();
      this.#execute(opcode);
    }
  }

  #execute(opcode: number): void {
    switch (opcode) {
      case 0x80: // PROTO
        this.#protocol(this.#input.unsigned(1));
        return;
      case 0x95: // FRAME
        this.#input.take(8);
        return;
      case 0x28: // MARK
        this.#stack.push(MARK);
        return;
      case 0x30: // POP
        this.#stack.pop();
        return;
      case 0x4e: // NONE
        this.#push(null);
        return;
      case 0x88: // NEWTRUE
        this.#push(true);
        return;
      case 0x89: // NEWFALSE
        this.#push(false);
        return;
      case 0x4b: // BININT1
        this.#push(this.#input.unsigned(1));
        return;
      case 0x4d: // BININT2
        this.#push(this.#input.unsigned(2));
        return;
      case 0x4a: // BININT
        this.#push(this.#input.signed());
        return;
      case 0x8a: // LONG1
        this.#push(this.#input.long());
        return;
      case 0x47: // BINFLOAT
        this.#push(this.#input.double());
        return;
      case 0x8c: // SHORT_BINUNICODE
        this.#push(this.#input.text(this.#input.unsigned(1)));
        return;
      case 0x58: // BINUNICODE
        this.#push(this.#input.text(this.#input.unsigned(4)));
        return;
      case 0x29: // EMPTY_TUPLE
        this.#push({ kind: 'tuple', items: [] });
        return;
      case 0x85: // TUPLE1
      case 0x86: // TUPLE2
      case 0x87: // TUPLE3
        this.#push({ kind: 'tuple', items: this.#popMany(opcode - 0x84) });
        return;
      case 0x74: // TUPLE
        this.#push({ kind: 'tuple', items: this.#popToMark() });
        return;
      case 0x5d: // EMPTY_LIST
        this.#push({ kind: 'list', items: [] });
        return;
      case 0x61: // APPEND
        this.#append(this.#popMany(1));
        return;
      case 0x65: // APPENDS
        this.#append(this.#popToMark());
        return;
      case 0x7d: // EMPTY_DICT
        this.#push({ kind: 'dict', entries: new Map() });
        return;
      case 0x73: // SETITEM
        this.#setItems(this.#popMany(2));
        return;
      case 0x75: // SETITEMS
        this.#setItems(this.#popToMark());
        return;
      case 0x71: // BINPUT
        this.#remember(this.#input.unsigned(1));
        return;
      case 0x72: // LONG_BINPUT
        this.#remember(this.#input.unsigned(4));
        return;
      case 0x94: // MEMOIZE
        this.#remember(this.#memo.size);
        return;
      case 0x68: // BINGET
        this.#recall(this.#input.unsigned(1));
        return;
      case 0x6a: // LONG_BINGET
        this.#recall(this.#input.unsigned(4));
        return;
      case 0x63: // GLOBAL
        this.#name(this.#input.line(), this.#input.line());
        return;
      case 0x93: // STACK_GLOBAL
        this.#nameFromStack();
        return;
      case 0x52: // REDUCE
        this.#call();
        return;
      case 0x51: // BINPERSID
        this.#persistent();
        return;
      case 0x62: // BUILD
        this.#dropAttributes();
        return;
      default:
        throw this.#refused(`the opcode 0x${opcode.toString(16).padStart(2, '0')}, which no state dictionary needs`);
    }
  }

  #protocol(version: number): void {
    if (version < 2 || version > 5) throw this.#refused(`pickle protocol ${version}`);
  }

  #append(items: PickleValue<Made>[]): void {
    const list = this.#top();
    if (!isCollection(list) || list.kind !== 'list') throw this.#refused('an append to something that is no list');
    for (const item of items) list.items.push(item);
  }

  #setItems(pairs: readonly PickleValue<Made>[]): void {
    const dict = this.#top();
    if (!isCollection(dict) || dict.kind !== 'dict') throw this.#refused('items for something that is no dictionary');
    if (pairs.length % 2 !== 0) throw this.#refused('a key without a value');
    for (let i = 0; i < pairs.length; i += 2) {
      const key = pairs[i];
      if (typeof key !== 'string' && typeof key !== 'number')
        throw this.#refused('a key that is neither text nor number');
      dict.entries.set(key, pairs[i + 1] ?? null);
    }
  }

  #name(module: string, name: string): void {
    const globalName = `${module} ${name}`;
    if (!this.#meaning.allows(globalName)) {
      throw this.#refused(`the name ${JSON.stringify(`${module}.${name}`.slice(0, 120))}, which is not allowed`);
    }
    this.#push({ kind: 'global', name: globalName });
  }

  #nameFromStack(): void {
    const [module, name] = this.#popMany(2);
    if (typeof module !== 'string' || typeof name !== 'string') throw this.#refused('a name that is no text');
    this.#name(module, name);
  }

  #call(): void {
    const [callee, args] = this.#popMany(2);
    if (!isCollection(callee) || callee.kind !== 'global' || !isCollection(args) || args.kind !== 'tuple') {
      throw this.#refused('a call of something that is no name');
    }
    const made = this.#meaning.call(callee.name, args.items);
    if (made === undefined) throw this.#refused(`a call of ${callee.name.replace(' ', '.')} with unexpected arguments`);
    this.#push(made);
  }

  #persistent(): void {
    const made = this.#meaning.persistent(this.#pop());
    if (made === undefined) throw this.#refused('a reference to something that is no tensor storage');
    this.#push(made);
  }

  /** A state dictionary carries attributes beside its entries (module versions); they mean nothing here. */
  #dropAttributes(): void {
    this.#pop();
    const target = this.#top();
    if (!isCollection(target) || target.kind !== 'dict')
      throw this.#refused('attributes for something that is no dictionary');
  }

  #remember(index: number): void {
    this.#memo.set(index, this.#top());
  }

  #recall(index: number): void {
    const value = this.#memo.get(index);
    if (value === undefined) throw this.#refused(`the memory slot ${index}, which is empty`);
    this.#push(value);
  }

  #push(value: PickleValue<Made>): void {
    this.#stack.push(value);
  }

  #pop(): PickleValue<Made> {
    return this.#popMany(1)[0] ?? null;
  }

  #top(): PickleValue<Made> {
    const value = this.#stack.at(-1);
    if (value === undefined || value === MARK) throw this.#refused('an operation on an empty stack');
    return value;
  }

  #popMany(count: number): PickleValue<Made>[] {
    const values = this.#stack.splice(Math.max(0, this.#stack.length - count));
    if (values.length < count || values.includes(MARK)) throw this.#refused('an operation on an empty stack');
    return values as PickleValue<Made>[];
  }

  #popToMark(): PickleValue<Made>[] {
    const mark = this.#stack.lastIndexOf(MARK);
    if (mark < 0) throw this.#refused('an operation on an empty stack');
    return this.#stack.splice(mark).slice(1) as PickleValue<Made>[];
  }

  #refused(found: string): L2mError {
    return this.#input.refused(found);
  }
}

function isCollection<Made>(
  value: PickleValue<Made> | undefined,
): value is Exclude<PickleValue<Made>, null | boolean | number | string> {
  return typeof value === 'object' && value !== null;
}
