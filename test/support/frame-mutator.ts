import { Packr, Unpackr } from 'msgpackr';
import type { RandomSource } from '../../agent/random.ts';

type Frames = Uint8Array[];

const packr = new Packr({ useRecords: false, variableMapSize: true });
const unpackr = new Unpackr({ useRecords: false, mapsAsObjects: true, int64AsType: 'number' });

const TYPE_BYTES = [
  0xc0, 0xc1, 0xc4, 0xc7, 0xca, 0xcb, 0xcf, 0xd3, 0xd4, 0xd8, 0xd9, 0xdb, 0xdc, 0xdd, 0xde, 0xdf, 0x8f, 0x9f,
];
const STRANGE_VALUES: readonly unknown[] = [
  NaN,
  Infinity,
  -Infinity,
  -1,
  0,
  0.5,
  256,
  2 ** 31,
  2 ** 32,
  2 ** 53,
  -(2 ** 53),
  1e300,
  2n ** 63n,
  -(2n ** 63n),
  '',
  'float16',
  'float64',
  'object',
  '\u0000',
  'metaworld/reach-v3\n',
  '__proto__',
  'x'.repeat(5000),
  null,
  true,
  [],
  {},
  [[[[[[[[[[]]]]]]]]]],
  [0x7fffffff, 0x7fffffff, 0x7fffffff, 0x7fffffff],
  [0, 0x7fffffff],
  [1, 1, 1, 1, 1],
  { dtype: 'float32', shape: [1], frame: 0 },
  { dtype: 'uint8', shape: [2 ** 32], frame: 15 },
  { constructor: 1 },
  new Uint8Array(9),
];

/**
 * A copy of the frames of a valid message with one kind of damage done once or more often, all chosen by `random`.
 * `others` are valid messages too, whose parts may be mixed in.
 */
export function mutatedFrames(valid: readonly Uint8Array[], others: readonly Frames[], random: RandomSource): Frames {
  const frames = valid.map((frame) => Uint8Array.from(frame));
  const mutation = MUTATIONS[random.below(MUTATIONS.length)]!;
  return mutation(frames, others, random);
}

type Mutation = (frames: Frames, others: readonly Frames[], random: RandomSource) => Frames;

const MUTATIONS: readonly Mutation[] = [
  // Random bytes, in the header alone or everywhere.
  (frames, _others, random) => [
    randomBytes(random, 200),
    ...(random.below(2) === 0 ? frames.slice(1) : [randomBytes(random, 64)]),
  ],
  // Bit flips, mostly in the header, twice because they reach furthest into the decoder.
  flipBits,
  flipBits,
  // A frame cut short, or one with bytes after its end.
  (frames, _others, random) => replaced(frames, random, (bytes) => bytes.slice(0, random.below(bytes.length + 1))),
  (frames, _others, random) => replaced(frames, random, (bytes) => joined(bytes, randomBytes(random, 12))),
  // Frames twice, gone, in another order, or of another message.
  (frames, _others, random) => [...frames, frames[random.below(frames.length)]!],
  (frames, _others, random) => frames.filter((_, index) => index !== random.below(frames.length)),
  (frames, _others, random) => [...frames].sort(() => random.uniform() - 0.5),
  (frames, others, random) => [frames[0]!, ...others[random.below(others.length)]!.slice(1)],
  (frames, _others, random) => Array.from({ length: random.below(40) }, () => frames[random.below(frames.length)]!),
  // Lengths that declare up to 4 GB.
  (frames, _others, random) => withHeader(frames, inserted(frames[0]!, forgedLength(random), random)),
  (frames, _others, random) => [forgedLength(random), ...frames.slice(1)],
  // Type bytes where values are expected.
  (frames, _others, random) =>
    withHeader(frames, inserted(frames[0]!, Uint8Array.of(pick(TYPE_BYTES, random)), random)),
  (frames, _others, random) => replacedByte(frames, pick(TYPE_BYTES, random), random),
  // Deep and wide.
  (frames, _others, random) => withHeader(frames, nested(random)),
  (frames, _others, random) => withHeader(frames, wide(random)),
  // A valid structure with other content, most often, as only these reach schema and tensor checks.
  changedValue,
  changedValue,
  changedValue,
  changedKeys,
];

function flipBits(frames: Frames, _others: readonly Frames[], random: RandomSource): Frames {
  const flips = 1 + random.below(8);
  for (let i = 0; i < flips; i++) {
    const bytes = random.below(4) > 0 ? frames[0]! : frames[random.below(frames.length)]!;
    if (bytes.length > 0) bytes[random.below(bytes.length)]! ^= 1 << random.below(8);
  }
  return frames;
}

function changedValue(frames: Frames, _others: readonly Frames[], random: RandomSource): Frames {
  const message = unpackr.decode(frames[0]!) as object;
  let target = message as Record<string, unknown>;
  for (;;) {
    const keys = Object.keys(target);
    if (keys.length === 0) break;
    const key = pick(keys, random);
    const value = target[key];
    if (typeof value === 'object' && value !== null && random.below(3) > 0) {
      target = value as Record<string, unknown>;
      continue;
    }
    target[key] = pick(STRANGE_VALUES, random);
    break;
  }
  return withHeader(frames, packr.encode(message));
}

function changedKeys(frames: Frames, _others: readonly Frames[], random: RandomSource): Frames {
  const message = unpackr.decode(frames[0]!) as Record<string, unknown>;
  const key = pick(Object.keys(message), random);
  const entries = Object.entries(message).filter(([name]) => name !== key || random.below(3) === 0);
  if (random.below(2) === 0)
    entries.push([pick(['__proto__', 'constructor', 'extra', 'targets', ''], random), message[key]]);
  return withHeader(frames, packr.encode(new Map(entries)));
}

function nested(random: RandomSource): Uint8Array {
  const levels = pick([7, 8, 9, 100, 5000], random);
  const opening = pick([[0x91], [0x81, 0xa1, 0x61], [0xdd, 0, 0, 0, 1]], random);
  return Uint8Array.from([0x81, 0xa1, 0x61, ...Array.from({ length: levels }, () => opening).flat(), 0xc0]);
}

function wide(random: RandomSource): Uint8Array {
  const count = pick([8_000, 8_192, 60_000, 65_535, 70_000], random);
  const bytes = new Uint8Array(6 + count).fill(pick([0xc0, 0x01, 0x90, 0xa0], random));
  bytes.set([0x81, 0xa1, 0x61, 0xdd, 0, 0]);
  new DataView(bytes.buffer).setUint32(4, count);
  return bytes;
}

function forgedLength(random: RandomSource): Uint8Array {
  const token = pick([0xc6, 0xc9, 0xdb, 0xdd, 0xdf], random);
  const length = pick([0xffffffff, 0x7fffffff, 0x10000, 100], random);
  const bytes = Uint8Array.of(token, 0, 0, 0, 0);
  new DataView(bytes.buffer).setUint32(1, length);
  return bytes;
}

function randomBytes(random: RandomSource, limit: number): Uint8Array {
  return Uint8Array.from({ length: random.below(limit + 1) }, () => random.below(256));
}

function replaced(frames: Frames, random: RandomSource, change: (bytes: Uint8Array) => Uint8Array): Frames {
  const index = random.below(frames.length);
  return frames.map((frame, i) => (i === index ? change(frame) : frame));
}

function replacedByte(frames: Frames, value: number, random: RandomSource): Frames {
  const header = frames[0]!;
  header[random.below(header.length)] = value;
  return frames;
}

function withHeader(frames: Frames, header: Uint8Array): Frames {
  return [header, ...frames.slice(1)];
}

function inserted(bytes: Uint8Array, extra: Uint8Array, random: RandomSource): Uint8Array {
  const at = random.below(bytes.length + 1);
  return joined(joined(bytes.subarray(0, at), extra), bytes.subarray(at));
}

function joined(first: Uint8Array, second: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(first.length + second.length);
  bytes.set(first);
  bytes.set(second, first.length);
  return bytes;
}

function pick<T>(values: readonly T[], random: RandomSource): T {
  return values[random.below(values.length)]!;
}
