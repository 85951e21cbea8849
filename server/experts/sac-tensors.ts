import { tensor1d, zeros, type Tensor } from '@tensorflow/tfjs-core';
import { initialVector } from '../../agent/experts/initialise-expert.ts';
import { groupSize, type ExpertShape } from '../../agent/experts/expert-shape.ts';
import type { WeightArrays } from '../checkpoints/weights-file.ts';
import { randomFor } from '../learning/window-sampler.ts';

const GROUPS = ['actor', 'critics', 'temperature'] as const;
const PARTS = ['values', 'first', 'second'] as const;

/** Names of all vectors of a learner: `<group> <part>`, and `targets`. */
export const STATE_NAMES = [
  ...GROUPS.flatMap((group) => PARTS.map((part) => `${group} ${part}` as const)),
  'targets',
] as const;
export type StateName = (typeof STATE_NAMES)[number];

/** Length of each vector. */
export function stateSizes(shape: ExpertShape): Readonly<Record<StateName, number>> {
  const sizes = STATE_NAMES.map((name) => {
    const group = name === 'targets' ? 'critics' : (name.split(' ')[0] as (typeof GROUPS)[number]);
    return [name, groupSize(group, shape)] as const;
  });
  return Object.fromEntries(sizes) as Record<StateName, number>;
}

/** Weights, Adam's moments and target critics of one learner, owned here. */
export class SacTensors {
  #current: Readonly<Record<StateName, Tensor>>;

  private constructor(current: Readonly<Record<StateName, Tensor>>) {
    this.#current = current;
  }

  /**
   * First weights by the seed; target critics begin as the critics.
   * @param actor a trained one to begin with, in the order of `groupLayout('actor', shape)`
   */
  static initial(shape: ExpertShape, seed: number, actor?: Float32Array): SacTensors {
    const sizes = stateSizes(shape);
    if (actor !== undefined && actor.length !== sizes['actor values'])
      throw new RangeError(`an actor of ${actor.length} numbers, not ${sizes['actor values']}`);
    const first = (group: (typeof GROUPS)[number]) =>
      group === 'actor' && actor !== undefined
        ? actor
        : initialVector(group, shape, randomFor(seed, `expert ${group}`, 0));
    const entries = STATE_NAMES.map((name) => {
      if (name === 'targets') return [name, tensor1d(first('critics'))] as const;
      const [group, part] = name.split(' ') as [(typeof GROUPS)[number], string];
      return [name, part === 'values' ? tensor1d(first(group)) : zeros([sizes[name]])] as const;
    });
    return new SacTensors(Object.fromEntries(entries) as Record<StateName, Tensor>);
  }

  /** Goes on from what `toArrays` gave. @throws RangeError if a vector is missing or of another length */
  static fromArrays(shape: ExpertShape, arrays: WeightArrays): SacTensors {
    const sizes = stateSizes(shape);
    const entries = STATE_NAMES.map((name) => {
      const data = arrays.get(name)?.data;
      if (data?.length !== sizes[name])
        throw new RangeError(`${name} has ${data?.length ?? 'no'} numbers, not ${sizes[name]}`);
      return [name, tensor1d(data)] as const;
    });
    return new SacTensors(Object.fromEntries(entries) as Record<StateName, Tensor>);
  }

  get current(): Readonly<Record<StateName, Tensor>> {
    return this.#current;
  }

  /** Takes over new tensors and frees the old; those in `held` stay, and their new ones are freed. */
  replace(next: Readonly<Record<StateName, Tensor>>, held: readonly StateName[] = []): void {
    const before = this.#current;
    const entries = STATE_NAMES.map((name) => {
      const [kept, freed] = held.includes(name) ? [before[name], next[name]] : [next[name], before[name]];
      freed.dispose();
      return [name, kept] as const;
    });
    this.#current = Object.fromEntries(entries) as Record<StateName, Tensor>;
  }

  toArrays(): WeightArrays {
    return new Map(
      STATE_NAMES.map((name) => {
        const data = this.#current[name].dataSync() as Float32Array;
        return [name, { shape: [data.length], data }] as const;
      }),
    );
  }

  dispose(): void {
    for (const name of STATE_NAMES) this.#current[name].dispose();
  }
}
