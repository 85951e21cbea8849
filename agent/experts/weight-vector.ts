import { concat, reshape, slice, type Tensor } from '../ops.ts';
import type { WeightPiece } from './expert-shape.ts';

/** A group's vector as its pieces, in order. Differentiate by the pieces: by the vector, every slice would be padded again. */
export function piecesOf(vector: Tensor, layout: readonly WeightPiece[]): Tensor[] {
  return layout.map(({ offset, size, shape }) => reshape(slice(vector, [offset], [size]), [...shape]));
}

/** Pieces, or their gradients, as one vector. */
export function vectorOf(pieces: readonly Tensor[]): Tensor {
  return concat(pieces.map((piece) => reshape(piece, [-1])));
}
