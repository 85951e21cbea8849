import { WIRE_LIMITS } from './limits.ts';
import { ITEM_BYTES, type DataType, type TensorHeader } from './tensor.ts';

/** Data type and dimensions. A letter stands for a size that must be the same wherever it occurs in the message. */
export type TensorLayout = readonly [dtype: DataType, ...dimensions: (number | string)[]];
export type MessageLayout = Readonly<Record<string, TensorLayout>>;

/** Largest value of each letter; letters that are missing here are bounded by `messageBytes` alone. */
export const DIMENSION_LIMITS: Readonly<Record<string, number>> = {
  n: WIRE_LIMITS.environmentsPerWorker,
  p: WIRE_LIMITS.environmentsPerWorker,
  v: WIRE_LIMITS.environmentsPerPage,
  W: WIRE_LIMITS.observationSize,
  A: WIRE_LIMITS.actionSize,
};

/**
 * What each tensor of each message must look like, so that no reader has to check it again.
 * n environments in the message, W observation width, A action width, p rows with poses, m bodies, k contacts, v environments on a page; of a
 * decision and a pool: see `policy-messages.ts`.
 */
export const TENSOR_LAYOUTS = {
  worker: {
    observed: {
      environments: ['uint16', 'n'],
      episodes: ['uint32', 'n'],
      steps: ['uint32', 'n'],
      observations: ['float32', 'n', 'W'],
      rewards: ['float64', 'n'],
      flags: ['uint8', 'n'],
      executed: ['float32', 'n', 'A'],
      targets: ['float32', 'n', 'A'],
      poses: ['float32', 'm', 7],
      poseCounts: ['uint16', 'p'],
      contacts: ['float32', 'k', 11],
      contactCounts: ['uint16', 'p'],
    },
    scene: {
      manifest: ['uint8', 'manifestBytes'],
      assets: ['uint8', 'assetBytes'],
    },
  },
  server: {
    act: {
      environments: ['uint16', 'n'],
      episodes: ['uint32', 'n'],
      actions: ['float32', 'n', 'A'],
      weights: ['float32', 'n'],
      pulls: ['float32', 'n', 7],
    },
  },
  pageEvent: {
    frames: {
      episodes: ['uint32', 'v'],
      steps: ['uint32', 'v'],
      rewards: ['float32', 'v'],
      returns: ['float32', 'v'],
      flags: ['uint8', 'v'],
      selections: ['int32', 'v'],
      similarities: ['float32', 'v'],
      poseCounts: ['uint16', 'v'],
      poses: ['float32', 'm', 7],
      contactCounts: ['uint16', 'v'],
      contacts: ['float32', 'k', 11],
    },
    decision: {
      probabilities: ['float32', 'd', 'V'],
      tokens: ['int32', 'd'],
      returnsToGo: ['float32', 't'],
      rewards: ['float32', 't'],
      similarities: ['float32', 'K'],
      points: ['float32', 'o', 2],
      attention: ['float32', 'q', 'x'],
    },
    pool: {
      keys: ['float32', 'K', 2],
      usage: ['uint32', 'T', 'P'],
    },
  },
  pageRequest: {},
} as const satisfies Record<string, Readonly<Record<string, MessageLayout>>>;

/**
 * Says what is wrong with the tensors of a message, or nothing: every frame is used once, is as long as its header says,
 * and has the data type and dimensions of the layout.
 */
export function tensorFault(
  message: Readonly<Record<string, unknown>>,
  frames: readonly Uint8Array[],
  layout: MessageLayout,
): string | undefined {
  const sizes = new Map<string, number>();
  let usedFrames = 0;
  let used = 0;
  for (const field in layout) {
    const header = message[field] as TensorHeader | undefined;
    const expected = layout[field];
    if (header === undefined || expected === undefined) continue;
    const bytes = frames[header.frame];
    if (bytes === undefined)
      return `${field} is in frame ${header.frame}, the message has ${frames.length} tensor frames`;
    if ((usedFrames & (1 << header.frame)) !== 0) return `${field} shares frame ${header.frame} with another tensor`;
    usedFrames |= 1 << header.frame;
    used++;
    const fault = headerFault(header, bytes.byteLength) ?? layoutFault(header, expected, sizes);
    if (fault !== undefined) return `${field}: ${fault}`;
  }
  return used === frames.length ? undefined : `${frames.length} tensor frames, of which ${used} are used`;
}

function headerFault(header: TensorHeader, byteLength: number): string | undefined {
  let expected: number = ITEM_BYTES[header.dtype];
  for (const size of header.shape) expected *= size;
  if (expected === byteLength) return undefined;
  return `${header.dtype} [${header.shape.join(', ')}] takes ${expected} bytes, got ${byteLength}`;
}

function layoutFault(header: TensorHeader, layout: TensorLayout, sizes: Map<string, number>): string | undefined {
  const { dtype, shape } = header;
  if (dtype !== layout[0] || shape.length !== layout.length - 1) return mismatch(header, layout);
  for (let axis = 0; axis < shape.length; axis++) {
    const size = shape[axis] ?? 0;
    const dimension = layout[axis + 1] ?? 0;
    if (typeof dimension === 'number') {
      if (size !== dimension) return mismatch(header, layout);
      continue;
    }
    const known = sizes.get(dimension);
    if (known === undefined) {
      const limit = DIMENSION_LIMITS[dimension];
      if (limit !== undefined && size > limit) return `${dimension} is at most ${limit}, got ${size}`;
      sizes.set(dimension, size);
    } else if (known !== size) {
      return `${dimension} is ${known} elsewhere in the message, got ${size}`;
    }
  }
  return undefined;
}

function mismatch(header: TensorHeader, layout: TensorLayout): string {
  const [dtype, ...dimensions] = layout;
  return `expected ${dtype} [${dimensions.join(', ')}], got ${header.dtype} [${header.shape.join(', ')}]`;
}
