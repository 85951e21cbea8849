import { readFile } from 'node:fs/promises';
import type { Comparison } from '../../protocol/comparison.ts';
import { writeWhole } from '../continual/run-folder.ts';
import type { ScoredEpisode } from '../store/records.ts';
import { compareRuns, type ComparedRun } from '../store/compare-runs.ts';
import type { Actors } from './actors.ts';
import type { AdaptationFolder } from './adaptation-folder.ts';
import { ADAPTATION_PROTOCOL, REPORT_SEED, type AdaptationSettings } from './adaptation-settings.ts';

/**
 * Episodes of a version on the starts of the report: the adapted task, and tasks that must not change. Neither rollouts nor promotions see
 * these starts. They are kept, so that no session makes them again.
 *
 * @returns undefined where it was stopped
 */
export async function reportOf(
  actors: Actors,
  folder: AdaptationFolder,
  { settings, version }: { readonly settings: AdaptationSettings; readonly version: number },
): Promise<ScoredEpisode[] | undefined> {
  const path = folder.report(version);
  const known = await readFile(path, 'utf8').catch(() => undefined);
  if (known !== undefined) return JSON.parse(known) as ScoredEpisode[];
  const policy = await actors.load('acting', folder.checkpoint(version), versionName(folder, version));
  const { task, others, reportEpisodes, otherEpisodes } = settings;
  const common = { kind: 'evaluate', firstStart: 0, seed: REPORT_SEED, policy } as const;
  const own = await actors.run({
    ...common,
    tasks: [task],
    episodes: reportEpisodes,
    what: `report of ${policy.name}`,
  });
  if (own === undefined) return undefined;
  const rest =
    others.length === 0
      ? []
      : await actors.run({ ...common, tasks: others, episodes: otherEpisodes, what: `other tasks of ${policy.name}` });
  if (rest === undefined) return undefined;
  const episodes = [...own, ...rest];
  await writeWhole(path, `${JSON.stringify(episodes)}\n`);
  return episodes;
}

/** Before against after, by pairs of the same starts. */
export function reportComparison(
  folder: AdaptationFolder,
  versions: readonly [before: number, after: number],
  episodes: readonly [readonly ScoredEpisode[], readonly ScoredEpisode[]],
): Comparison {
  const compared = (version: number, own: readonly ScoredEpisode[]): ComparedRun => {
    const policy = versionName(folder, version);
    const head = { run: policy, policy, protocol: ADAPTATION_PROTOCOL, seed: REPORT_SEED, configuration: {} } as const;
    return { head, episodes: own };
  };
  return compareRuns([compared(versions[0], episodes[0]), compared(versions[1], episodes[1])]);
}

/** What a version is called in runs and on the page. */
export function versionName({ name }: AdaptationFolder, version: number): string {
  return `${name} version ${version}`;
}
