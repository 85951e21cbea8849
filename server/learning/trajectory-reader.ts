import { createHash } from 'node:crypto';
import { STEP_TENSORS, rowBytes, type EpisodeSizes } from './episode.ts';
import { invalidFile, openDataFile, readExactly, readTensorFileHeader } from '../checkpoints/tensor-file.ts';
import type { DataFile, PlacedTensor, TensorFileHeader, TensorFileType } from '../checkpoints/tensor-file.ts';
import { headFromMetadata, sizesOf, type TrajectoryHead } from './trajectory-format.ts';

/** Everything about a trajectory file but its steps: small, however large the file. */
export interface TrajectoryIndex {
  readonly path: string;
  readonly head: TrajectoryHead;
  readonly sizes: EpisodeSizes;
  /** Sha-256 of all tensor bytes, as the writer computed it. */
  readonly contentHash: string;
  readonly episodeCount: number;
  readonly transitionCount: number;
  /** [episodes + 1] first row of each episode, then the number of rows. */
  readonly episodeOffsets: Int32Array;
  /** [episodes] */
  readonly starts: Int32Array;
  /** [episodes] */
  readonly noises: Float32Array;
  readonly tensors: TensorFileHeader['tensors'];
}

/** A whole trajectory file in memory; N rows over all episodes. */
export interface Trajectories extends TrajectoryIndex {
  /** [N, observation size] */
  readonly observations: Float32Array;
  /** [N, action size] executed */
  readonly actions: Float32Array;
  /** [N, action size] what should have been done */
  readonly targets: Float32Array;
  /** [N] unscaled */
  readonly rewards: Float32Array;
  /** [N] 0 or 1 */
  readonly successes: Uint8Array;
}

/**
 * Reads the description and the table of episodes of a trajectory file, without its steps.
 * @throws L2mError L2M_DATA_INVALID with what was got
 */
export async function readTrajectoryIndex(path: string): Promise<TrajectoryIndex> {
  const file = await openDataFile(path, 'L2M_DATA_INVALID');
  try {
    return await readTrajectoryIndexOf(file);
  } finally {
    await file.handle.close();
  }
}

/**
 * Reads a whole trajectory file into typed arrays, checking shapes, offsets, finite numbers and the content hash.
 * @throws L2mError L2M_DATA_INVALID with what was got
 */
export async function readTrajectories(path: string): Promise<Trajectories> {
  const file = await openDataFile(path, 'L2M_DATA_INVALID');
  try {
    const index = await readTrajectoryIndexOf(file);
    const hash = createHash('sha256');
    const bytesOf = new Map<string, Buffer>();
    for (const [name, tensor] of index.tensors) {
      const bytes = await readExactly(file, tensor.begin, tensor.byteLength);
      hash.update(bytes);
      bytesOf.set(name, bytes);
    }
    if (hash.digest('hex') !== index.contentHash) throw invalidFile(file, 'its bytes do not match their hash');
    const floats = (name: string) => new Float32Array(bytesOf.get(name)?.buffer ?? new ArrayBuffer(0));
    const trajectories = {
      ...index,
      observations: floats('observations'),
      actions: floats('actions'),
      targets: floats('targets'),
      rewards: floats('rewards'),
      successes: new Uint8Array(bytesOf.get('successes')?.buffer ?? new ArrayBuffer(0)),
    };
    for (const name of ['observations', 'actions', 'targets', 'rewards'] as const) {
      if (!trajectories[name].every(Number.isFinite)) throw invalidFile(file, `${name} that are not finite`);
    }
    return trajectories;
  } finally {
    await file.handle.close();
  }
}

/** The same of an open file. */
export async function readTrajectoryIndexOf(file: DataFile): Promise<TrajectoryIndex> {
  const header = await readTensorFileHeader(file);
  const head = headFromMetadata(header.metadata);
  if (typeof head === 'string') throw invalidFile(file, head);
  const contentHash = header.metadata['content_sha256'] ?? '';
  if (!/^[0-9a-f]{64}$/.test(contentHash)) throw invalidFile(file, `content hash ${JSON.stringify(contentHash)}`);

  const take = async (name: string) => {
    const { begin, byteLength } = tensorOf(file, header, name);
    return (await readExactly(file, begin, byteLength)).buffer as ArrayBuffer;
  };
  const episodeOffsets = new Int32Array(await take('episode_offsets'));
  const starts = new Int32Array(await take('starts'));
  const noises = new Float32Array(await take('noises'));
  const episodeCount = starts.length;
  const transitionCount = episodeOffsets.at(-1) ?? 0;
  const sizes = sizesOf(head.spec);

  expectShape(file, header, { name: 'episode_offsets', dtype: 'I32', shape: [episodeCount + 1] });
  expectShape(file, header, { name: 'starts', dtype: 'I32', shape: [episodeCount] });
  expectShape(file, header, { name: 'noises', dtype: 'F32', shape: [episodeCount] });
  for (const name of STEP_TENSORS) {
    const tensor = tensorOf(file, header, name);
    expectShape(file, header, { name, dtype: name === 'successes' ? 'U8' : 'F32', shape: tensor.shape });
    if (tensor.shape[0] !== transitionCount || tensor.byteLength !== transitionCount * rowBytes(name, sizes)) {
      throw invalidFile(file, `${name} of shape [${tensor.shape.join(', ')}] for ${transitionCount} rows of this task`);
    }
  }
  const ascending = episodeOffsets.every((offset, i) =>
    i === 0 ? offset === 0 : offset > (episodeOffsets[i - 1] ?? 0),
  );
  if (!ascending) throw invalidFile(file, 'episode offsets that do not rise from 0');
  return {
    path: file.path,
    head,
    sizes,
    contentHash,
    episodeCount,
    transitionCount,
    episodeOffsets,
    starts,
    noises,
    tensors: header.tensors,
  };
}

function tensorOf(file: DataFile, header: TensorFileHeader, name: string): PlacedTensor {
  const tensor = header.tensors.get(name);
  if (tensor === undefined) throw invalidFile(file, `no tensor called ${name}`);
  return tensor;
}

interface Expected {
  readonly name: string;
  readonly dtype: TensorFileType;
  readonly shape: readonly number[];
}

function expectShape(file: DataFile, header: TensorFileHeader, expected: Expected): void {
  const tensor = tensorOf(file, header, expected.name);
  if (tensor.dtype !== expected.dtype || tensor.shape.join() !== expected.shape.join()) {
    throw invalidFile(file, `${expected.name} is ${tensor.dtype} [${tensor.shape.join(', ')}]`);
  }
}
