import { rm } from 'node:fs/promises';
import { groupSize, type ExpertShape } from '../../agent/experts/expert-shape.ts';
import type { TaskSpec } from '../../protocol/task.ts';
import type { LiveServer } from '../build-server.ts';
import { L2mError } from '../errors.ts';
import { sizesOf } from '../learning/trajectory-format.ts';
import { openTrajectoryWriter, type TrajectoryWriter } from '../learning/trajectory-writer.ts';
import type { ExpertHooks, ExpertResult } from './expert-events.ts';
import { checkExpertOptions, expertFingerprint, expertSettings, type ExpertOptions } from './expert-options.ts';
import { ExpertTraining } from './expert-training.ts';

/**
 * Trains one expert online with soft actor-critic against the server's own simulators, and keeps all it saw as trajectories. The same
 * settings give the same expert, interrupted or not.
 * @throws L2mError L2M_CONFIG_INVALID, L2M_RUN_MISMATCH, L2M_DATA_INVALID, L2M_STORE_UNWRITABLE, L2M_AGENT_LOST, L2M_SIMULATOR_FAULT
 */
export async function trainExpert(
  server: LiveServer,
  options: ExpertOptions,
  hooks: ExpertHooks,
): Promise<ExpertResult> {
  checkExpertOptions(options);
  if (options.overwrite) await rm(options.folder, { recursive: true, force: true });
  const [spec] = await server.describe([options.task]);
  if (spec === undefined) throw new L2mError('L2M_TASK_UNKNOWN', options.task);
  const shape = { ...sizesOf(spec), hidden: options.hidden };
  checkFirstActor(options, shape);
  const writer = await openWriter(server, options, spec);
  const training = new ExpertTraining({ server, options, hooks, writer, shape });
  try {
    return await training.run();
  } finally {
    await training.close();
  }
}

function checkFirstActor({ task, firstActor }: ExpertOptions, shape: ExpertShape): void {
  if (firstActor === undefined || firstActor.length === groupSize('actor', shape)) return;
  throw new L2mError('L2M_CONFIG_INVALID', `the actor to begin with has other sizes than ${task} needs`, {
    hint: `That is ${shape.observationSize} observed and ${shape.actionSize} decided numbers; \`npx l2m experts\` lists the actors there are.`,
  });
}

function openWriter(server: LiveServer, options: ExpertOptions, spec: TaskSpec): Promise<TrajectoryWriter> {
  return openTrajectoryWriter({
    ...{ folder: options.trajectoryFolder, task: options.task, source: options.source, spec },
    provenance: {
      identity: {
        ...{ policy: 'soft actor-critic', protocol: 'l2m-paper', seed: options.seed, horizon: options.horizon },
        training: expertFingerprint(options),
      },
      notes: {
        settings: expertSettings(options),
        command: process.argv.slice(2).join(' '),
        versions: { ...server.fleet.versions() },
      },
    },
    ...(options.overwrite ? { overwriteSource: true } : {}),
  });
}
