import { mkdir, open, rename } from 'node:fs/promises';
import { dirname } from 'node:path';
import { Type, type Static } from 'typebox';
import { Compile } from 'typebox/compile';
import { groupLayout, groupSize, type ExpertShape } from '../../agent/experts/expert-shape.ts';
import { TaskIdSchema } from '../../protocol/task.ts';
import { halfFromFloat, floatFromHalf } from '../checkpoints/half-precision.ts';
import { encodeTensorFileHeader, invalidFile, openDataFile, readExactly } from '../checkpoints/tensor-file.ts';
import { readTensorFileHeader, systemCodeOf, type TensorFileEntry } from '../checkpoints/tensor-file.ts';
import { sha256Of } from '../checkpoints/weights-file.ts';
import { L2mError } from '../errors.ts';

export const EXPERT_FORMAT = 'l2m-expert/1';

const Count = Type.Integer({ minimum: 1 });
const ExpertAboutSchema = Type.Object(
  {
    format: Type.Literal(EXPERT_FORMAT),
    task: TaskIdSchema,
    shape: Type.Object(
      { observationSize: Count, actionSize: Count, hidden: Type.Array(Count, { minItems: 1 }) },
      { additionalProperties: false },
    ),
    /** Simulator steps of one decision while it learned. */
    actionRepeat: Count,
    /** Simulator steps and updates after which this actor was the best so far. */
    steps: Count,
    updates: Type.Integer({ minimum: 0 }),
    /** Over the episodes of its evaluation, without noise, at its own action repeat. */
    meanReturn: Type.Number(),
    episodes: Count,
    /** The same over the same starts, deciding at every step; absent where it was not measured. */
    everyStepReturn: Type.Optional(Type.Number()),
    settings: Type.Record(Type.String(), Type.Unknown()),
    command: Type.String(),
    versions: Type.Record(Type.String(), Type.String()),
  },
  { additionalProperties: false },
);
export type ExpertAbout = Static<typeof ExpertAboutSchema>;
const validator = Compile(ExpertAboutSchema);

/** Share of its return that an expert may lose and still decides at every step. */
const LOSS_FOR_DECIDING = 0.05;

/**
 * Simulator steps of one decision when an expert shows how it is done: every step, unless that costs it more than a twentieth of its
 * return. Who learns from held actions learns to repeat them.
 */
export function showsEvery({ actionRepeat, meanReturn, everyStepReturn = -Infinity }: ExpertAbout): number {
  return everyStepReturn >= meanReturn * (1 - LOSS_FOR_DECIDING) ? 1 : actionRepeat;
}

export interface TrainedExpert {
  readonly about: ExpertAbout;
  /** The actor's weights in the order of `groupLayout('actor', shape)`. */
  readonly actor: Float32Array;
  /** Of the file's bytes. */
  readonly sha256: string;
}

/**
 * Writes an actor alone, in float16: enough to act, not to go on learning. Appears whole or not at all.
 * @throws L2mError L2M_STORE_UNWRITABLE
 */
export async function writeExpert(path: string, about: ExpertAbout, actor: Float32Array): Promise<void> {
  const entries = new Map<string, TensorFileEntry>();
  const parts: Uint8Array[] = [];
  for (const { name, shape, offset, size } of groupLayout('actor', about.shape)) {
    entries.set(name, { dtype: 'F16', shape });
    parts.push(new Uint8Array(halfFromFloat(actor.slice(offset, offset + size)).buffer));
  }
  const temporary = `${path}.tmp-${process.pid}`;
  try {
    await mkdir(dirname(path), { recursive: true });
    const handle = await open(temporary, 'w');
    try {
      await handle.writeFile(
        Buffer.concat([encodeTensorFileHeader(entries, { about: JSON.stringify(about) }), ...parts]),
      );
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(temporary, path);
  } catch (cause) {
    throw new L2mError('L2M_STORE_UNWRITABLE', `${path} (${systemCodeOf(cause)})`, { cause });
  }
}

/** @throws L2mError L2M_CHECKPOINT_INVALID for anything but a whole file of an actor with finite weights */
export async function readExpert(path: string): Promise<TrainedExpert> {
  const file = await openDataFile(path, 'L2M_CHECKPOINT_INVALID');
  try {
    const header = await readTensorFileHeader(file);
    const about = parsed(header.metadata['about']);
    if (!validator.Check(about)) throw invalidFile(file, 'it is no expert: its metadata lacks a valid `about`');
    const actor = new Float32Array(groupSize('actor', about.shape));
    const bytes = await readExactly(file, 0, header.fileBytes);
    for (const { name, shape, offset } of groupLayout('actor', about.shape)) {
      const placed = header.tensors.get(name);
      if (placed?.dtype !== 'F16' || placed.shape.join() !== shape.join()) {
        throw invalidFile(file, `${name} is ${placed?.dtype ?? 'missing'} [${placed?.shape.join(', ') ?? ''}]`);
      }
      const own = bytes.buffer.slice(placed.begin, placed.begin + placed.byteLength) as ArrayBuffer;
      actor.set(floatFromHalf(new Uint16Array(own)), offset);
    }
    if (!actor.every(Number.isFinite)) throw invalidFile(file, 'it holds numbers that are not finite');
    return { about, actor, sha256: sha256Of(bytes) };
  } finally {
    await file.handle.close();
  }
}

/** The sizes an expert was made for, against those of the task as the simulator describes it. */
export function fitsExpert(about: ExpertAbout, sizes: Pick<ExpertShape, 'observationSize' | 'actionSize'>): boolean {
  return about.shape.observationSize === sizes.observationSize && about.shape.actionSize === sizes.actionSize;
}

function parsed(text: string | undefined): unknown {
  try {
    return JSON.parse(text ?? 'null');
  } catch {
    return null;
  }
}
