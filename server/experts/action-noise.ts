import { createHash } from 'node:crypto';
import { randomSource, type RandomSource } from '../../agent/random.ts';

/** Puts chance on the actions of one episode: Gaussian, clipped to [-1, 1]; a function of seed, start and step. */
export type ActionNoise = (action: Float32Array) => Float32Array;

/** @param deviation 0 leaves every action as it is */
export function actionNoise(
  deviation: number,
  { seed, start }: { readonly seed: number; readonly start: number },
): ActionNoise {
  if (deviation === 0) return (action) => action;
  const random = noiseSource(seed, start);
  return (action) => action.map((value) => Math.max(-1, Math.min(1, value + deviation * random.normal())));
}

function noiseSource(seed: number, start: number): RandomSource {
  return randomSource(createHash('sha256').update(`noise ${seed} ${start}`).digest().readUIntBE(0, 6));
}
