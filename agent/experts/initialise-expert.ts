import type { RandomSource } from '../random.ts';
import { groupLayout, groupSize, type ExpertShape, type WeightGroup } from './expert-shape.ts';

/** Log of the temperature that training starts with. */
const INITIAL_LOG_TEMPERATURE = Math.log(0.1);

/**
 * First weights of a group: weights and biases uniform within ± 1 / √in, as PyTorch's linear layers have them.
 * @returns the group's vector
 */
export function initialVector(group: WeightGroup, shape: ExpertShape, random: RandomSource): Float32Array {
  if (group === 'temperature') return Float32Array.of(INITIAL_LOG_TEMPERATURE);
  const values = new Float32Array(groupSize(group, shape));
  let inputs = 1;
  for (const piece of groupLayout(group, shape)) {
    if (piece.shape.length === 2) inputs = piece.shape[0]!;
    const limit = 1 / Math.sqrt(inputs);
    for (let i = 0; i < piece.size; i++) values[piece.offset + i] = limit * (2 * random.uniform() - 1);
  }
  return values;
}
