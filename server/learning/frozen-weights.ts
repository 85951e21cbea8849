import { createHash } from 'node:crypto';
import type { Shapes } from '../../agent/weights/names.ts';
import type { WeightArrays } from '../checkpoints/weights-file.ts';
import { L2mError } from '../errors.ts';
import { disposeAll, tensorNamed, type TensorRecord } from './tensor-record.ts';
import { tensorsOf } from './training-tensors.ts';

/** What a training says of the weights that it was not to change. */
export interface FrozenRecord {
  readonly tensors: number;
  /** Over names, shapes and bytes, before the first update and, read back from the backend, after the last. */
  readonly sha256: string;
}

/** Weights that take part but do not learn, with the proof that they did not. */
export class FrozenWeights {
  readonly tensors: TensorRecord;
  readonly #shapes: Shapes;
  readonly #sha256: string;

  private constructor(shapes: Shapes, tensors: TensorRecord, sha256: string) {
    this.#shapes = shapes;
    this.tensors = tensors;
    this.#sha256 = sha256;
  }

  /** Takes the weights that `shapes` names out of `weights`; those must stay as they are only until this returns. */
  static fromWeights(shapes: Shapes, weights: WeightArrays): FrozenWeights {
    return new FrozenWeights(shapes, tensorsOf(shapes, weights), checksumOf(shapes, weights));
  }

  get record(): FrozenRecord {
    return { tensors: Object.keys(this.#shapes).length, sha256: this.#sha256 };
  }

  /**
   * Reads all of them back and compares.
   * @throws L2mError L2M_GRAPH_FAILED if one bit has changed
   */
  async verified(): Promise<WeightArrays> {
    const read = Object.entries(this.#shapes).map(async ([name, shape]) => {
      const data = (await tensorNamed(this.tensors, name).data()) as Float32Array;
      return [name, { shape, data }] as const;
    });
    const weights = new Map(await Promise.all(read));
    const after = checksumOf(this.#shapes, weights);
    if (after === this.#sha256) return weights;
    throw new L2mError('L2M_GRAPH_FAILED', `frozen weights changed: sha256 ${this.#sha256} became ${after}`, {
      hint: 'Do not use what this training has saved, and report it.',
    });
  }

  dispose(): void {
    disposeAll(this.tensors);
  }
}

function checksumOf(shapes: Shapes, weights: WeightArrays): string {
  const hash = createHash('sha256');
  for (const name of Object.keys(shapes).sort()) {
    const data = weights.get(name)?.data ?? new Float32Array();
    hash.update(`${name} ${shapes[name]?.join(' ') ?? ''}\n`);
    hash.update(new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
  }
  return hash.digest('hex');
}
