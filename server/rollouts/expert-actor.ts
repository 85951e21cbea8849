import { createHash } from 'node:crypto';
import type { EpisodePlan } from './plan.ts';
import type { PolicyChoice } from './run-request.ts';

/**
 * How the scripted expert plays one start: levels of noise in turn, noise of its own for every start, the same in whichever run,
 * because its seed is a function of (seed, start).
 */
export function expertActor(
  { noises, variant }: Extract<PolicyChoice, { kind: 'expert' }>,
  { start, seed }: { readonly start: number; readonly seed: number },
): EpisodePlan['actor'] {
  const digest = createHash('sha256').update(`noise ${seed} ${start}`).digest();
  return {
    kind: 'expert',
    noise: noises[start % noises.length] ?? 0,
    noiseSeed: digest.readUInt32LE(0),
    ...(variant === undefined ? {} : { variant }),
  };
}
