import { join } from 'node:path';
import type { TaskId } from '../../protocol/task.ts';
import type { LiveServer } from '../build-server.ts';
import { readManifest } from '../checkpoints/read-checkpoint.ts';
import { L2mError } from '../errors.ts';
import { AgentHost } from '../inference/agent-host.ts';
import { hostThreads } from '../inference/host-threads.ts';
import { modelPolicy } from '../inference/model-policy.ts';
import type { ActingPolicy } from '../rollouts/acting-policy.ts';
import type { RunHandle } from '../rollouts/run-service.ts';
import type { ContinualSettings } from './continual-options.ts';
import { evaluatedTasks, rowOf, type EvaluationRow } from './evaluation-rows.ts';
import type { RunFolder } from './run-folder.ts';

export interface EvaluatorOptions {
  readonly server: LiveServer;
  readonly folder: RunFolder;
  readonly settings: ContinualSettings;
  readonly note: (text: string) => void;
  readonly progress: (finished: number, planned: number) => void;
  readonly signal: AbortSignal;
}

const PROGRESS_EVERY_MS = 500;

/**
 * Runs snapshots of a training on real simulators, every task on the same start states each time. All snapshots take one place in one agent
 * host: where only the pool differs, which is the case for all methods that leave the model alone, nothing is compiled for the next.
 */
export class SnapshotEvaluator {
  readonly #options: EvaluatorOptions;
  #host: Promise<AgentHost> | undefined;

  constructor(options: EvaluatorOptions) {
    this.#options = options;
  }

  /**
   * @returns one row a task, or undefined when it was stopped
   * @throws L2mError L2M_SIMULATOR_FAULT if simulators gave up, or of the agent host
   */
  async evaluate(update: number): Promise<EvaluationRow[] | undefined> {
    const { server, folder, settings, signal } = this.#options;
    const stopped = () => signal.aborted;
    if (stopped()) return undefined;
    const snapshot = folder.snapshot(update);
    const manifest = await readManifest(snapshot);
    const host = await this.#started();
    const batch = server.config.workers * server.config.environments;
    const maxBatch = server.config.workers === 0 ? server.config.maxBatch : Math.min(server.config.maxBatch, batch);
    await host.load(folder.name, snapshot, maxBatch);
    const handles: RunHandle[] = [];
    const { policy } = modelPolicy({
      ...{ name: `${folder.name} after ${update}`, host, model: folder.name, manifest },
      batch: {
        ...{ maxBatch, maxWaitMs: server.config.maxWaitMs, observe: () => undefined },
        expected: () => Math.max(1, Math.min(maxBatch, owedBy(handles[0]) ?? maxBatch)),
      },
    });
    const selections = new Map<TaskId, Map<number, number>>();
    const handle = await server.runs.start(
      {
        ...{ kind: 'evaluate', tasks: evaluatedTasks(settings), episodes: settings.episodes },
        ...{ protocol: settings.protocol, seed: settings.evaluationSeed, firstStart: 0, horizon: settings.horizon },
        policy: { kind: 'checkpoint', folder: snapshot },
      },
      { policy: counting(policy, selections) },
    );
    handles.push(handle);
    const summary = await this.#finish(handle);
    if (summary.state !== 'finished') {
      if (stopped()) return undefined;
      throw new L2mError(
        'L2M_SIMULATOR_FAULT',
        summary.message === '' ? `${handle.run} is ${summary.state}` : summary.message,
        {
          hint: 'Go on with --resume.',
        },
      );
    }
    return summary.tasks.map((score) => rowOf(update, score, selections.get(score.task) ?? new Map()));
  }

  async close(): Promise<void> {
    await (await this.#host?.catch(() => undefined))?.close();
  }

  async #finish(handle: RunHandle) {
    const { server, signal, progress } = this.#options;
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
      return await handle.over;
    } finally {
      clearInterval(timer);
      signal.removeEventListener('abort', onStop);
    }
  }

  #started(): Promise<AgentHost> {
    const { server, note } = this.#options;
    const { config } = server;
    this.#host ??= AgentHost.start(
      {
        ...{ backend: config.backend, threadCount: hostThreads(config), precision: config.precision },
        ...{ logFile: join(config.data, 'agent.log'), restartBudget: 5, startDeadlineMs: 180_000 },
        decideDeadlineMs: config.decideDeadlineMs,
      },
      {
        progress: () => undefined,
        restarted: (restarts, reason) => note(`the agent host ended with ${reason}; restart ${restarts}`),
        exhausted: (error) => server.runs.fail(error),
      },
    );
    return this.#host;
  }
}

/** Episodes that are not over yet; undefined before the run has begun. */
function owedBy(handle: RunHandle | undefined): number | undefined {
  if (handle === undefined) return undefined;
  const { plannedEpisodes, finishedEpisodes, errorEpisodes } = handle.summary();
  return plannedEpisodes - finishedEpisodes - errorEpisodes;
}

/** Counts which row of the pool decided each step of each task. */
function counting(policy: ActingPolicy, selections: Map<TaskId, Map<number, number>>): ActingPolicy {
  return {
    ...policy,
    begin: (spec, plan) => {
      const counts = selections.get(spec.task) ?? new Map<number, number>();
      selections.set(spec.task, counts);
      const episode = policy.begin(spec, plan);
      return {
        ...episode,
        decide: async (row) => {
          const decision = await episode.decide(row);
          if (decision.selected >= 0) counts.set(decision.selected, (counts.get(decision.selected) ?? 0) + 1);
          return decision;
        },
      };
    },
  };
}
