import { existsSync } from 'node:fs';
import type { TaskId } from '../../protocol/task.ts';
import type { LiveServer } from '../build-server.ts';
import type { Episode } from '../learning/episode.ts';
import type { Provenance } from '../learning/trajectory-format.ts';
import { openTrajectoryWriter, trajectoryPath, type TrajectoryWriter } from '../learning/trajectory-writer.ts';
import type { ActingPolicy } from '../rollouts/acting-policy.ts';
import type { Actors } from './actors.ts';
import { OWN_SOURCE } from './adaptation-folder.ts';
import type { Pass } from './passes.ts';

export interface GatherOptions {
  readonly tasks: readonly TaskId[];
  /** Root of the trajectory files. */
  readonly folder: string;
  readonly firstStart: number;
  readonly episodes: number;
  readonly seed: number;
  readonly passes: readonly Pass[];
  /** Whether later passes leave the start of an episode alone. */
  readonly solves: (episode: Pick<Episode, 'successes'>, task: TaskId) => boolean;
  /** What else makes these episodes belong together. */
  readonly identity: Provenance['identity'];
  /** For the progress line. */
  readonly what: string;
}

/**
 * What a policy does on some starts, kept as trajectories. Later passes visit the starts that none before has solved: there a policy
 * learns most. Stopped or killed, it goes on with what is owed.
 *
 * @returns whether all is gathered; false where it was stopped
 */
export async function gatherEpisodes(
  { server, actors }: { readonly server: LiveServer; readonly actors: Actors },
  policyOf: () => Promise<ActingPolicy>,
  options: GatherOptions,
): Promise<boolean> {
  const { tasks, folder, firstStart, episodes, seed, passes, what } = options;
  const owed = tasks.filter((task) => !isWhole(trajectoryPath(folder, task, OWN_SOURCE)));
  if (owed.length === 0) return true;
  const policy = await policyOf();
  const writers = new Map<TaskId, TrajectoryWriter>();
  const solved = new Set<string>();
  try {
    for (const spec of await server.describe(owed)) {
      const { task } = spec;
      const identity = { ...options.identity, policy: policy.name, seed, passes: passes.map(({ mark }) => mark) };
      const writer = await openTrajectoryWriter({
        ...{ folder, task, source: OWN_SOURCE, spec },
        provenance: { identity, notes: { versions: { ...server.fleet.versions() } } },
      });
      writers.set(task, writer);
      for await (const episode of writer.kept()) {
        if (options.solves(episode, task)) solved.add(`${task}#${episode.start}`);
      }
    }
    for (const [place, pass] of passes.entries()) {
      const ended = await actors.run({
        ...{ kind: 'collect', tasks: owed, episodes, firstStart, seed, policy: pass.policyOf(policy) },
        what: passes.length === 1 ? what : `${what}, pass ${place + 1} of ${passes.length},`,
        options: {
          skip: (task, start) =>
            solved.has(`${task}#${start}`) || writers.get(task)?.hasEpisode(start, pass.mark) === true,
          take: async ({ task, start }, trajectory) => {
            const targets = pass.learnsDecided ? trajectory.targets : trajectory.actions;
            const episode = { start, noise: pass.mark, ...trajectory, targets };
            if (options.solves(episode, task)) solved.add(`${task}#${start}`);
            await writers.get(task)?.append(episode);
          },
        },
      });
      if (ended === undefined) return false;
    }
    for (const [task, writer] of writers) {
      await writer.finish();
      writers.delete(task);
    }
    return true;
  } finally {
    for (const writer of writers.values()) await writer.close();
  }
}

/** A log beside a file is what a killed session left of finishing it. */
function isWhole(path: string): boolean {
  return existsSync(path) && !existsSync(`${path}.part`);
}
