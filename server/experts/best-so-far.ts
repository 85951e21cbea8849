import { copyFile } from 'node:fs/promises';
import { join } from 'node:path';
import { readExpert } from './expert-file.ts';
import { exists, expertPath } from './find-expert.ts';
import { readCurve } from './learning-curve.ts';

/** What the next evaluation of a training has to reach for its actor to be kept. */
export interface BestSoFar {
  /** -Infinity: any is kept. */
  readonly meanReturn: number;
  /** What was put aside or taken back for it, to be told. */
  readonly note?: string;
}

/** Where the best actor under evaluations of another number of episodes is kept meanwhile. */
export function asidePath(folder: string, episodes: number): string {
  return join(folder, `expert-of-${episodes}-episodes.safetensors`);
}

/**
 * Evaluations of different numbers of episodes are not compared: of a few, the luckiest actor wins, and nothing that is measured more
 * carefully could replace it. So where a training goes on with another number, the actor kept so far is copied aside, and that of an earlier
 * session with this number taken back. The file of the best actor stays until a better one is there.
 * @throws L2mError L2M_CHECKPOINT_INVALID if the actor kept so far is damaged
 */
export async function bestSoFar(folder: string, episodes: number): Promise<BestSoFar> {
  const comparable = readCurve(join(folder, 'curve.jsonl')).filter((point) => point.episodes === episodes);
  const meanReturn = Math.max(-Infinity, ...comparable.map((point) => point.meanReturn));
  const kept = expertPath(folder);
  if (!(await exists(kept))) return { meanReturn };
  const { about } = await readExpert(kept);
  if (about.episodes === episodes) return { meanReturn };
  const aside = asidePath(folder, about.episodes);
  await copyFile(kept, aside);
  const before = `the best so far (${about.meanReturn.toFixed(1)} over ${about.episodes} episodes) is kept as ${aside}`;
  const earlier = asidePath(folder, episodes);
  if (!(await exists(earlier)))
    return { meanReturn, note: `${before}; evaluations of ${episodes} episodes are compared among themselves` };
  await copyFile(earlier, kept);
  return { meanReturn, note: `${before}; that of ${episodes} episodes (${meanReturn.toFixed(1)}) is the best again` };
}
