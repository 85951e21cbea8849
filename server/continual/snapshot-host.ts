import { join } from 'node:path';
import type { RunSummary } from '../../protocol/dashboard-views.ts';
import type { LiveServer } from '../build-server.ts';
import { readManifest } from '../checkpoints/read-checkpoint.ts';
import { L2mError } from '../errors.ts';
import { AgentHost } from '../inference/agent-host.ts';
import type { HostModelView } from '../inference/host-messages.ts';
import { hostThreads } from '../inference/host-threads.ts';
import { modelPolicy } from '../inference/model-policy.ts';
import type { ActingPolicy } from '../rollouts/acting-policy.ts';
import type { RunHandle } from '../rollouts/run-service.ts';

export interface SnapshotPlace {
  /** Checkpoints of one place replace each other; where only the pool differs, nothing is compiled. */
  readonly place: string;
  readonly checkpoint: string;
  /** What the policy is called in runs. */
  readonly name: string;
}

/** An agent host beside the server's own, for checkpoints that a training leaves; started when first needed. */
export class SnapshotHost {
  readonly #server: LiveServer;
  readonly #note: (text: string) => void;
  #host: Promise<AgentHost> | undefined;

  constructor(server: LiveServer, note: (text: string) => void) {
    this.#server = server;
    this.#note = note;
  }

  /**
   * Puts a checkpoint into its place.
   * @param owed episodes of its run that are not over yet; undefined before the run has begun
   */
  async load(
    { place, checkpoint, name }: SnapshotPlace,
    owed: () => number | undefined,
  ): Promise<{ readonly policy: ActingPolicy; readonly view: HostModelView }> {
    const { config } = this.#server;
    const manifest = await readManifest(checkpoint);
    const host = await this.#started();
    const batch = config.workers * config.environments;
    const maxBatch = config.workers === 0 ? config.maxBatch : Math.min(config.maxBatch, batch);
    const view = await host.load(place, checkpoint, maxBatch);
    const { policy } = modelPolicy({
      ...{ name, host, model: place, manifest },
      batch: {
        ...{ maxBatch, maxWaitMs: config.maxWaitMs, observe: () => undefined },
        expected: () => Math.max(1, Math.min(maxBatch, owed() ?? maxBatch)),
      },
    });
    return { policy, view };
  }

  /** What computes, in one line; undefined before it was needed. */
  async backend(): Promise<string | undefined> {
    return (await this.#host)?.backend?.detail;
  }

  async close(): Promise<void> {
    await (await this.#host?.catch(() => undefined))?.close();
  }

  #started(): Promise<AgentHost> {
    const { config, runs } = this.#server;
    this.#host ??= AgentHost.start(
      {
        ...{ backend: config.backend, threadCount: hostThreads(config), precision: config.precision },
        ...{ logFile: join(config.data, 'agent.log'), restartBudget: 5, startDeadlineMs: 180_000 },
        decideDeadlineMs: config.decideDeadlineMs,
      },
      {
        progress: () => undefined,
        restarted: (restarts, reason) => this.#note(`the agent host ended with ${reason}; restart ${restarts}`),
        exhausted: (error) => runs.fail(error),
      },
    );
    return this.#host;
  }
}

/** Episodes of a run that are not over yet; undefined before it has begun. */
export function owedBy(handle: RunHandle | undefined): number | undefined {
  if (handle === undefined) return undefined;
  const { plannedEpisodes, finishedEpisodes, errorEpisodes } = handle.summary();
  return plannedEpisodes - finishedEpisodes - errorEpisodes;
}

export interface WatchedRun {
  /** Aborting ends the run. */
  readonly signal: AbortSignal;
  readonly progress: (finished: number, planned: number) => void;
}

const PROGRESS_EVERY_MS = 500;

/**
 * Waits for the end of a run.
 * @returns undefined where it was stopped by the signal
 * @throws L2mError L2M_SIMULATOR_FAULT if it ended in another way
 */
export async function watchedRun(
  server: LiveServer,
  handle: RunHandle,
  { signal, progress }: WatchedRun,
): Promise<RunSummary | undefined> {
  const show = () => {
    const { finishedEpisodes, errorEpisodes, plannedEpisodes } = handle.summary();
    progress(finishedEpisodes + errorEpisodes, plannedEpisodes);
  };
  const timer = setInterval(show, PROGRESS_EVERY_MS);
  const onStop = () => {
    const { state } = handle.summary();
    if (state === 'running' || state === 'starting') server.runs.stop(handle.run);
  };
  signal.addEventListener('abort', onStop);
  if (signal.aborted) onStop();
  try {
    const summary = await handle.over;
    if (summary.state === 'finished') return summary;
    if (signal.aborted) return undefined;
    const got = summary.message === '' ? `${handle.run} is ${summary.state}` : summary.message;
    throw new L2mError('L2M_SIMULATOR_FAULT', got, { hint: 'Go on with --resume.' });
  } finally {
    clearInterval(timer);
    signal.removeEventListener('abort', onStop);
  }
}
