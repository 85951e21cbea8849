import { tensor, zeros } from '@tensorflow/tfjs-core';
import type { Shapes } from '../../agent/weights/names.ts';
import type { WeightArrays } from '../checkpoints/weights-file.ts';
import { disposeAll, tensorNamed, type TensorRecord } from './tensor-record.ts';

/** The parts of a training state that an update replaces. */
export interface UpdatedTensors {
  readonly parameters: TensorRecord;
  readonly firstMoments: TensorRecord;
  readonly secondMoments: TensorRecord;
}

const PARTS = ['parameters', 'firstMoments', 'secondMoments'] as const;

/** Weights that learn and AdamW's moments, owned here. */
export class TrainingTensors implements UpdatedTensors {
  readonly shapes: Shapes;
  #current: UpdatedTensors;

  private constructor(shapes: Shapes, current: UpdatedTensors) {
    this.shapes = shapes;
    this.#current = current;
  }

  /** Starts from weights, with moments zero; others than `shapes` names are left out. */
  static fromWeights(shapes: Shapes, weights: WeightArrays): TrainingTensors {
    return new TrainingTensors(shapes, {
      parameters: tensorsOf(shapes, weights),
      firstMoments: zerosOf(shapes),
      secondMoments: zerosOf(shapes),
    });
  }

  /** Continues from arrays that `toArrays` gave. */
  static fromArrays(shapes: Shapes, arrays: WeightArrays): TrainingTensors {
    const part = (name: keyof UpdatedTensors) =>
      tensorsOf(shapes, new Map([...arrays].map(([key, array]) => [key.replace(`${name} `, ''), array] as const)));
    const [parameters, firstMoments, secondMoments] = PARTS.map(part);
    if (parameters === undefined || firstMoments === undefined || secondMoments === undefined) throw new RangeError();
    return new TrainingTensors(shapes, { parameters, firstMoments, secondMoments });
  }

  get parameters(): TensorRecord {
    return this.#current.parameters;
  }

  get firstMoments(): TensorRecord {
    return this.#current.firstMoments;
  }

  get secondMoments(): TensorRecord {
    return this.#current.secondMoments;
  }

  /** Takes over new tensors and frees the old. */
  replace(next: UpdatedTensors): void {
    this.dispose();
    this.#current = next;
  }

  /** Moments as before the first update; the weights stay. */
  clearMoments(): void {
    const { parameters, firstMoments, secondMoments } = this.#current;
    disposeAll(firstMoments);
    disposeAll(secondMoments);
    this.#current = { parameters, firstMoments: zerosOf(this.shapes), secondMoments: zerosOf(this.shapes) };
  }

  /** Gradient sums to begin with; the caller's to dispose. */
  zeros(): TensorRecord {
    return zerosOf(this.shapes);
  }

  /** Weights alone, by name. */
  async weights(): Promise<WeightArrays> {
    return arraysOf(this.shapes, this.parameters, '');
  }

  /** Everything, each name behind its part. */
  async toArrays(): Promise<WeightArrays> {
    const parts = await Promise.all(PARTS.map((part) => arraysOf(this.shapes, this.#current[part], `${part} `)));
    return new Map(parts.flatMap((arrays) => [...arrays]));
  }

  dispose(): void {
    for (const part of PARTS) disposeAll(this.#current[part]);
  }
}

/** @throws RangeError if a weight is not there */
export function tensorsOf(shapes: Shapes, weights: WeightArrays): TensorRecord {
  return Object.fromEntries(
    Object.entries(shapes).map(([name, shape]) => {
      const data = weights.get(name)?.data;
      if (data === undefined) throw new RangeError(`no weight called ${name}`);
      return [name, tensor(data, [...shape], 'float32')] as const;
    }),
  );
}

function zerosOf(shapes: Shapes): TensorRecord {
  return Object.fromEntries(Object.entries(shapes).map(([name, shape]) => [name, zeros([...shape])] as const));
}

async function arraysOf(shapes: Shapes, record: TensorRecord, prefix: string): Promise<WeightArrays> {
  const entries = Object.entries(shapes).map(async ([name, shape]) => {
    const data = (await tensorNamed(record, name).data()) as Float32Array;
    return [prefix + name, { shape, data }] as const;
  });
  return new Map(await Promise.all(entries));
}
