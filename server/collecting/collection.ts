import type { ExpertVariant } from '../../protocol/simulator-messages.ts';
import { domainOf, horizonOf, type TaskId } from '../../protocol/task.ts';
import type { LiveServer } from '../build-server.ts';
import { readManifest } from '../checkpoints/read-checkpoint.ts';
import { L2mError } from '../errors.ts';
import { readExpert } from '../experts/expert-file.ts';
import { findExpert } from '../experts/find-expert.ts';
import type { Provenance } from '../learning/trajectory-format.ts';
import type { FinishedTrajectories } from '../learning/trajectory-output.ts';
import { openTrajectoryWriter, type TrajectoryWriter } from '../learning/trajectory-writer.ts';
import type { RunRequest } from '../rollouts/run-request.ts';
import type { TrajectoryTaker } from '../rollouts/run-service.ts';

export interface CollectionOptions {
  /** Scripted experts act in Meta-World, trained ones in DMControl. */
  readonly tasks: readonly TaskId[];
  readonly episodes: number;
  readonly firstStart: number;
  /** Deviations of the action noise, by start index in turn. */
  readonly noises: readonly number[];
  /** Of the scripted experts. */
  readonly variant: ExpertVariant;
  /** Folder of a checkpoint that acts in the experts' place; what they would do at each step is the target all the same. */
  readonly student?: string;
  /** Trained experts decide at every step, also those that do better when they hold their actions: easier to imitate. */
  readonly decides?: 'every-step';
  readonly seed: number;
  /** Steps of an episode; null: 200 in Meta-World, 1000 in DMControl. */
  readonly horizon: number | null;
  readonly source: string;
  /** Root of the trajectory files. */
  readonly trajectories: string;
  readonly overwrite: boolean;
}

export interface Collection {
  readonly request: RunRequest;
  /** Whether an episode is kept already. */
  readonly skip: (task: TaskId, start: number) => boolean;
  readonly take: TrajectoryTaker;
  /** Writes the files; to be called when the run has finished. */
  finish(): Promise<FinishedTrajectories[]>;
  /** Leaves everything for the same collection to go on. */
  close(): Promise<void>;
}

const PROTOCOL = 'l2m-paper';

/**
 * What experts do on many starts, to be kept as trajectories: the executed action as history, the expert's own as target. Opened
 * again with the same options it goes on where it was.
 * @throws L2mError L2M_TASK_UNSUPPORTED for a task without an expert, L2M_DATA_INVALID if the source was collected otherwise
 */
export async function openCollection(server: LiveServer, options: CollectionOptions): Promise<Collection> {
  const { tasks, episodes, firstStart, noises, variant, student, decides, seed, horizon, source } = options;
  const writers = new Map<TaskId, TrajectoryWriter>();
  const writerOf = (task: TaskId): TrajectoryWriter => {
    const writer = writers.get(task);
    if (writer === undefined) throw new RangeError(`${task} is not collected`);
    return writer;
  };
  const noiseOf = (start: number): number => noises[start % noises.length] ?? 0;
  for (const spec of await server.describe(tasks)) {
    const provenance = await provenanceOf(server, spec.task, options);
    writers.set(
      spec.task,
      await openTrajectoryWriter({
        ...{ folder: options.trajectories, task: spec.task, source, spec, provenance },
        ...(options.overwrite ? { overwriteSource: true } : {}),
      }),
    );
  }
  return {
    request: {
      ...{ kind: 'collect', tasks, episodes, protocol: PROTOCOL, seed, firstStart, horizon },
      policy: {
        ...{ kind: 'expert', noises, ...(variant === 'scripted' ? {} : { variant }) },
        ...(student === undefined ? {} : { student }),
        ...(decides === undefined ? {} : { decides }),
      },
    },
    skip: (task, start) => writerOf(task).hasEpisode(start, noiseOf(start)),
    take: (plan, trajectory) =>
      writerOf(plan.task).append({ start: plan.start, noise: noiseOf(plan.start), ...trajectory }),
    finish: async () => {
      const finished: FinishedTrajectories[] = [];
      for (const writer of writers.values()) finished.push(await writer.finish());
      return finished;
    },
    close: async () => {
      for (const writer of writers.values()) await writer.close();
    },
  };
}

async function provenanceOf(server: LiveServer, task: TaskId, options: CollectionOptions): Promise<Provenance> {
  const { seed, noises, variant, student, decides } = options;
  const horizon = options.horizon ?? horizonOf(task, PROTOCOL);
  return {
    identity: {
      ...{ policy: await expertName(server, task, variant), protocol: PROTOCOL, seed, horizon, noises: [...noises] },
      // Left out for the script itself, so that collections begun before there were variants go on.
      ...(variant === 'scripted' ? {} : { variant }),
      ...(student === undefined ? {} : { student: (await readManifest(student)).files.model.sha256 }),
      // Scripts decide at every step anyway.
      ...(decides === undefined || domainOf(task) === 'metaworld' ? {} : { decides }),
    },
    notes: { command: process.argv.slice(2).join(' '), versions: { ...server.fleet.versions() } },
  };
}

/** Which expert it is: a trained one by the hash of its weights, as another training is another policy. */
async function expertName(server: LiveServer, task: TaskId, variant: ExpertVariant): Promise<string> {
  if (domainOf(task) === 'metaworld') return 'expert';
  if (variant !== 'scripted') {
    throw new L2mError('L2M_TASK_UNSUPPORTED', `${task} has no expert of the variant ${variant}`, {
      hint: 'Variants exist for the scripted experts of Meta-World only.',
    });
  }
  const { sha256 } = await readExpert(await findExpert(server.config.data, task));
  return `expert ${sha256.slice(0, 16)}`;
}
