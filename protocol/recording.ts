import { Type, type Static } from 'typebox';
import { Compile } from 'typebox/compile';
import { failure, success, type Result } from './result.ts';
import { ActorSchema } from './simulator-messages.ts';
import { EvaluationProtocolSchema, TaskIdSchema, type TaskId } from './task.ts';

/**
 * A recorded episode as a file, read by the server and the page alike:
 *
 *   8 bytes `l2mrec1\n` | uint32 (little-endian) length of the header | header, JSON in UTF-8 | sections
 *
 * Sections lie one after the other behind the header, each a zlib stream of little-endian numbers; the header says which
 * there are and where. Row t of a section of `length` rows is step t + 1: what the action did, and who chose it.
 */
export const RECORDING_MAGIC = 'l2mrec1\n';
export const RECORDING_ENDING = '.l2mrec';
const PREFIX_BYTES = RECORDING_MAGIC.length + 4;
const MOST_HEADER_BYTES = 64 * 1024;
const MOST_SECTION_BYTES = 1024 * 1024 * 1024;

/** `metaworld.reach-v3.7.1`: task, start and attempt; unique within a run, and fit for addresses and file names. */
export const RECORDING_ID_PATTERN = '^(metaworld|dmcontrol)[.][A-Za-z0-9_-]{1,96}[.][0-9]{1,10}[.][0-9]{1,6}$';

export function recordingId(episode: {
  readonly task: TaskId;
  readonly start: number;
  readonly attempt: number;
}): string {
  return `${episode.task.replace('/', '.')}.${episode.start}.${episode.attempt}`;
}

const closed = { additionalProperties: false } as const;
const Count = Type.Integer({ minimum: 0, maximum: 0xffffffff });
const Text = Type.String({ maxLength: 4096 });

const SECTION_TYPES = {
  uint8: Uint8Array,
  int16: Int16Array,
  uint32: Uint32Array,
  float32: Float32Array,
  float64: Float64Array,
} as const;
interface SectionArrays {
  readonly uint8: Uint8Array;
  readonly int16: Int16Array;
  readonly uint32: Uint32Array;
  readonly float32: Float32Array;
  readonly float64: Float64Array;
}

/** Every section there can be. n = steps, A = action size, k = pictures, r = rows of a picture. */
export const RECORDING_SECTIONS = {
  rewards: 'float64', // [n]
  executed: 'float32', // [n, A]
  flags: 'uint8', // [n] STEP_FLAGS, without `poses`
  selections: 'int16', // [n] -1 where there is no pool
  similarities: 'float32', // [n]
  observationChecks: 'uint32', // [n + 1] CRC-32 of the observation's float32 bytes; row 0 is the start
  pulls: 'float32', // [n, 7] as in `act`; only where a person pulled at a body
  poseSteps: 'uint32', // [k] rising
  poses: 'float32', // [k, r, 7] as in `observed`
  sceneManifest: 'uint8', // only in a file that is to play without a server
  sceneAssets: 'uint8',
} as const satisfies Record<string, keyof typeof SECTION_TYPES>;
export type RecordingSection = keyof typeof RECORDING_SECTIONS;
export type RecordingArray<Name extends RecordingSection> = SectionArrays[(typeof RECORDING_SECTIONS)[Name]];

const SectionEntry = Type.Object(
  {
    name: Type.Unsafe<RecordingSection>(Type.Union(Object.keys(RECORDING_SECTIONS).map((name) => Type.Literal(name)))),
    /** Numbers in it. */
    count: Count,
    /** From the end of the header. */
    offset: Type.Integer({ minimum: 0 }),
    bytes: Type.Integer({ minimum: 0 }),
  },
  closed,
);

export const RecordingHeaderSchema = Type.Object(
  {
    run: Type.String({ minLength: 1, maxLength: 64 }),
    episode: Type.String({ pattern: RECORDING_ID_PATTERN }),
    task: TaskIdSchema,
    start: Count,
    attempt: Count,
    seed: Count,
    protocol: EvaluationProtocolSchema,
    horizon: Type.Integer({ minimum: 1, maximum: 100_000 }),
    actor: ActorSchema,
    policy: Text,
    controlTimestep: Type.Number({ exclusiveMinimum: 0, description: 'seconds of simulated time of one step' }),
    observationSize: Count,
    actionSize: Count,
    length: Type.Integer({ minimum: 0, maximum: 100_000, description: 'steps taken' }),
    return: Type.Number(),
    outcome: Type.Union([Type.Literal('success'), Type.Literal('failure'), Type.Literal('scored')]),
    firstSuccessStep: Type.Union([Count, Type.Null()]),
    /** Steps in which a person had a part, if there were any: such an episode is not scored. */
    assistedSteps: Type.Optional(Count),
    scene: Type.String({
      pattern: '^([0-9a-f]{64})?$',
      description: 'content address of the geometry; empty if unknown',
    }),
    /** Pictures and rows of each; 0 where no poses were recorded. With `length` + 1 pictures there is one of every step. */
    pictures: Count,
    poseRows: Type.Integer({ minimum: 0, maximum: 0xffff }),
    finishedAt: Type.String({ maxLength: 40 }),
    sections: Type.Array(SectionEntry, { maxItems: 16 }),
  },
  closed,
);
export type RecordingHeader = Static<typeof RecordingHeaderSchema>;

const header = Compile(RecordingHeaderSchema);

export interface RecordingFile {
  readonly header: RecordingHeader;
  /** Where the sections begin. */
  readonly base: number;
}

/** Bytes of a file from which the header can be read, given its first twelve. */
export function recordingHeadBytes(prefix: Uint8Array): Result<number, string> {
  if (prefix.byteLength < PREFIX_BYTES) return failure(`it has ${prefix.byteLength} bytes`);
  for (let index = 0; index < RECORDING_MAGIC.length; index++) {
    if (prefix[index] !== RECORDING_MAGIC.charCodeAt(index)) return failure('it does not begin as one');
  }
  const length = new DataView(prefix.buffer, prefix.byteOffset).getUint32(RECORDING_MAGIC.length, true);
  if (length > MOST_HEADER_BYTES) return failure(`a header of ${length} bytes`);
  return success(PREFIX_BYTES + length);
}

/** @param bytes at least `recordingHeadBytes` of the file */
export function readRecordingHeader(bytes: Uint8Array): Result<RecordingFile, string> {
  const base = recordingHeadBytes(bytes);
  if (!base.ok) return base;
  if (bytes.byteLength < base.value) return failure('it ends within its header');
  let parsed: unknown;
  try {
    parsed = JSON.parse(new TextDecoder().decode(bytes.subarray(PREFIX_BYTES, base.value)));
  } catch {
    return failure('its header is not JSON');
  }
  if (!header.Check(parsed)) {
    const [problem] = header.Errors(parsed);
    return failure(`its header: ${problem?.instancePath ?? ''} ${problem?.message ?? 'does not fit'}`);
  }
  return success({ header: parsed, base: base.value });
}

/** The first bytes of a file: magic, length and header. */
export function recordingHead(head: RecordingHeader): Uint8Array {
  const text = new TextEncoder().encode(JSON.stringify(head));
  const bytes = new Uint8Array(PREFIX_BYTES + text.byteLength);
  for (let index = 0; index < RECORDING_MAGIC.length; index++) bytes[index] = RECORDING_MAGIC.charCodeAt(index);
  new DataView(bytes.buffer).setUint32(RECORDING_MAGIC.length, text.byteLength, true);
  bytes.set(text, PREFIX_BYTES);
  return bytes;
}

/**
 * One section of a file, or undefined where the file has none of that name. Failures say what is wrong with the file.
 * @param inflate undoes zlib; the size that must come out is known, so that no file can ask for more than it says
 */
export async function readRecordingSection<Name extends RecordingSection>(
  bytes: Uint8Array,
  name: Name,
  inflate: (packed: Uint8Array, size: number) => Promise<Uint8Array>,
): Promise<Result<RecordingArray<Name> | undefined, string>> {
  const file = readRecordingHeader(bytes);
  if (!file.ok) return file;
  const { header: head, base } = file.value;
  const entry = head.sections.find((section) => section.name === name);
  if (entry === undefined) return success(undefined);
  const Numbers = SECTION_TYPES[RECORDING_SECTIONS[name]];
  const size = entry.count * Numbers.BYTES_PER_ELEMENT;
  const first = base + entry.offset;
  if (size > MOST_SECTION_BYTES || first + entry.bytes > bytes.byteLength) return failure(`its section ${name} is cut`);
  let plain: Uint8Array;
  try {
    plain = await inflate(bytes.subarray(first, first + entry.bytes), size);
  } catch {
    return failure(`its section ${name} is damaged`);
  }
  if (plain.byteLength !== size) return failure(`its section ${name} has ${plain.byteLength} bytes, not ${size}`);
  // Numbers must be aligned; a Buffer's own `slice` would not copy.
  const own = new Uint8Array(plain);
  if (name !== 'poses') return success(new Numbers(own.buffer) as unknown as RecordingArray<Name>);
  if (head.pictures * head.poseRows * 7 !== entry.count) return failure('its poses do not add up');
  return success(new Float32Array(fromPlanes(own, head.pictures).buffer) as unknown as RecordingArray<Name>);
}

/**
 * Poses change little from one picture to the next, and of a number that changes the high bytes least: each row is XORed
 * with the one before, and bytes of equal rank and column are put side by side. Exact, and a third of the size.
 * @param words [rows, columns] flattened
 */
export function toPlanes(words: Uint32Array, rows: number): Uint8Array {
  const columns = rows === 0 ? 0 : words.length / rows;
  const planes = new Uint8Array(words.length * 4);
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) {
      const at = row * columns + column;
      const change = (words[at] ?? 0) ^ (row === 0 ? 0 : (words[at - columns] ?? 0));
      for (let rank = 0; rank < 4; rank++) planes[(rank * columns + column) * rows + row] = change >>> (8 * rank);
    }
  }
  return planes;
}

export function fromPlanes(planes: Uint8Array, rows: number): Uint32Array {
  const words = new Uint32Array(planes.length / 4);
  const columns = rows === 0 ? 0 : words.length / rows;
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) {
      const at = row * columns + column;
      let word = row === 0 ? 0 : (words[at - columns] ?? 0);
      for (let rank = 0; rank < 4; rank++) word ^= (planes[(rank * columns + column) * rows + row] ?? 0) << (8 * rank);
      words[at] = word;
    }
  }
  return words;
}
