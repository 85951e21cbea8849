import type { TaskId } from '../../protocol/task.ts';
import type { LiveServer } from '../build-server.ts';
import type { ActingPolicy } from '../rollouts/acting-policy.ts';
import type { RunHandle } from '../rollouts/run-service.ts';
import type { ContinualSettings } from './continual-options.ts';
import { evaluatedTasks, rowOf, type EvaluationRow, type StepCounts } from './evaluation-rows.ts';
import type { RunFolder } from './run-folder.ts';
import { owedBy, SnapshotHost, watchedRun } from './snapshot-host.ts';

export interface EvaluatorOptions {
  readonly server: LiveServer;
  readonly folder: RunFolder;
  readonly settings: ContinualSettings;
  readonly note: (text: string) => void;
  readonly progress: (finished: number, planned: number) => void;
  readonly signal: AbortSignal;
}

/**
 * Runs snapshots of a training on real simulators, every task on the same start states each time. All snapshots take one place in one agent
 * host: where only the pool differs, which is the case for all methods that leave the model alone, nothing is compiled for the next.
 */
export class SnapshotEvaluator {
  readonly #options: EvaluatorOptions;
  readonly #host: SnapshotHost;

  constructor(options: EvaluatorOptions) {
    this.#options = options;
    this.#host = new SnapshotHost(options.server, (text) => options.note(text));
  }

  /**
   * @returns one row a task, or undefined when it was stopped
   * @throws L2mError L2M_SIMULATOR_FAULT if simulators gave up, or of the agent host
   */
  async evaluate(update: number): Promise<EvaluationRow[] | undefined> {
    const { server, folder, settings, signal } = this.#options;
    if (signal.aborted) return undefined;
    const snapshot = folder.snapshot(update);
    const handles: RunHandle[] = [];
    const { policy } = await this.#host.load(
      { place: folder.name, checkpoint: snapshot, name: `${folder.name} after ${update}` },
      () => owedBy(handles[0]),
    );
    const selections = new Map<TaskId, StepCounts>();
    const handle = await server.runs.start(
      {
        ...{ kind: 'evaluate', tasks: evaluatedTasks(settings), episodes: settings.episodes },
        ...{ protocol: settings.protocol, seed: settings.evaluationSeed, firstStart: 0, horizon: settings.horizon },
        policy: { kind: 'checkpoint', folder: snapshot },
      },
      { policy: counting(policy, selections) },
    );
    handles.push(handle);
    const summary = await watchedRun(server, handle, this.#options);
    return summary?.tasks.map((score) => rowOf(update, score, selections.get(score.task)));
  }

  close(): Promise<void> {
    return this.#host.close();
  }
}

/** Counts which row of the pool decided each step of each task, and which key was nearest. */
function counting(policy: ActingPolicy, selections: Map<TaskId, StepCounts>): ActingPolicy {
  const count = (counts: Map<number, number>, index: number) => counts.set(index, (counts.get(index) ?? 0) + 1);
  return {
    ...policy,
    begin: (spec, plan) => {
      const counts = selections.get(spec.task) ?? { rows: new Map<number, number>(), keys: new Map<number, number>() };
      selections.set(spec.task, counts);
      const episode = policy.begin(spec, plan);
      return {
        ...episode,
        decide: async (row) => {
          const decision = await episode.decide(row);
          if (decision.selected < 0) return decision;
          count(counts.rows, decision.selected);
          if (decision.key !== undefined) count(counts.keys, decision.key);
          return decision;
        },
      };
    },
  };
}
