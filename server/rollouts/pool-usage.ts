import type { TaskId } from '../../protocol/task.ts';

/** An episode as far as its use of the pool goes. */
export interface PoolUser {
  readonly run: string;
  readonly plan: { readonly task: TaskId };
  /** `selections`: modulator of each step, -1 where there was none. */
  readonly recorder: { readonly selections: Int16Array };
}

const MOST_RUNS = 32;

/** How many decisions of each run used each modulator, by task. Counted when an episode ends, and for running ones when asked. */
export class PoolUsage {
  readonly #runs = new Map<string, Map<TaskId, Uint32Array>>();

  ended({ run, plan, recorder }: PoolUser): void {
    const tasks = this.#runs.get(run) ?? new Map<TaskId, Uint32Array>();
    this.#runs.delete(run);
    this.#runs.set(run, tasks);
    count(tasks, plan.task, recorder.selections);
    for (const oldest of this.#runs.keys()) {
      if (this.#runs.size <= MOST_RUNS) break;
      this.#runs.delete(oldest);
    }
  }

  /**
   * @param running episodes under way; those of other runs are passed over
   * @param modulators columns of the table at least
   * @returns usage [tasks, P], tasks by name
   */
  of(
    run: string,
    running: Iterable<PoolUser>,
    modulators: number,
  ): { readonly tasks: readonly TaskId[]; readonly usage: Uint32Array } {
    const tasks = new Map([...(this.#runs.get(run) ?? [])].map(([task, counts]) => [task, counts.slice()] as const));
    for (const { run: of, plan, recorder } of running) {
      if (of === run) count(tasks, plan.task, recorder.selections);
    }
    const names = [...tasks.keys()].sort();
    const width = Math.max(modulators, ...[...tasks.values()].map((counts) => counts.length));
    const usage = new Uint32Array(names.length * width);
    names.forEach((task, row) => usage.set(tasks.get(task) ?? [], row * width));
    return { tasks: names, usage };
  }
}

function count(tasks: Map<TaskId, Uint32Array>, task: TaskId, selections: Int16Array): void {
  const most = selections.reduce((highest, selected) => Math.max(highest, selected), -1);
  if (most < 0) return;
  let counts = tasks.get(task) ?? new Uint32Array(most + 1);
  if (counts.length <= most) {
    const wider = new Uint32Array(most + 1);
    wider.set(counts);
    counts = wider;
  }
  tasks.set(task, counts);
  for (const selected of selections) if (selected >= 0) counts[selected] = (counts[selected] ?? 0) + 1;
}
