import { tensor, type Tensor } from '@tensorflow/tfjs-core';
import type { Anchor } from '../../agent/learning/penalty.ts';
import type { Shapes } from '../../agent/weights/names.ts';
import type { WeightArrays } from '../checkpoints/weights-file.ts';
import type { LearnerState } from './continual-learner.ts';

type Part = 'weights' | 'importances';

/** Anchors of earlier tasks as arrays with names, for a saved state. */
export async function savedAnchors(shapes: Shapes, anchors: readonly Anchor[]): Promise<WeightArrays> {
  const names = Object.keys(shapes);
  const entries = anchors.flatMap((anchor, index) =>
    (['weights', 'importances'] as const).flatMap((part) =>
      anchor[part].map(async (values, i) => {
        const data = (await values.data()) as Float32Array;
        return [nameOf(index, part, names[i] ?? ''), { shape: values.shape, data }] as const;
      }),
    ),
  );
  return new Map(await Promise.all(entries));
}

/** The anchors of a saved state as tensors, owned by the caller. @throws RangeError if one is not there */
export function loadAnchors(shapes: Shapes, saved: LearnerState | undefined): readonly Anchor[] {
  const listed = (index: number, part: Part): Tensor[] =>
    Object.keys(shapes).map((name) => {
      const found = saved?.arrays.get(nameOf(index, part, name));
      if (found === undefined) throw new RangeError(`no anchor ${index} of ${name}`);
      return tensor(found.data, [...found.shape], 'float32');
    });
  return Array.from({ length: saved?.anchors ?? 0 }, (_, index) => ({
    weights: listed(index, 'weights'),
    importances: listed(index, 'importances'),
  }));
}

function nameOf(index: number, part: Part, name: string): string {
  return `anchor ${index} ${part} ${name}`;
}
