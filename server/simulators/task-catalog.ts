import type { TaskId, TaskSpec } from '../../protocol/task.ts';
import { L2mError, unknownNameError } from '../errors.ts';

export interface CatalogOptions {
  /** Longest to wait for a worker that knows a task, and for its answer. */
  readonly deadlineMs: number;
  /** Asks one of the workers that host the task; false if none does (yet). */
  readonly ask: (task: TaskId) => boolean;
  /** All tasks that the connected workers host. */
  readonly known: () => readonly TaskId[];
}

interface Waiting {
  readonly resolve: (spec: TaskSpec) => void;
  readonly reject: (error: L2mError) => void;
  asked: boolean;
}

/** Specifications of tasks, asked of the workers once and kept for the life of the server. */
export class TaskCatalog {
  readonly specs = new Map<TaskId, TaskSpec>();
  readonly #waiting = new Map<TaskId, Waiting[]>();
  readonly #options: CatalogOptions;

  constructor(options: CatalogOptions) {
    this.#options = options;
  }

  /**
   * The specifications of all tasks, in order.
   * @throws L2M_TASK_UNKNOWN if workers are connected but none hosts a task, L2M_WORKER_LOST if none answers in time
   */
  describe(tasks: readonly TaskId[]): Promise<TaskSpec[]> {
    return Promise.all(tasks.map((task) => this.#describeOne(task)));
  }

  described(spec: TaskSpec): void {
    this.specs.set(spec.task, spec);
    for (const { resolve } of this.#waiting.get(spec.task) ?? []) resolve(spec);
    this.#waiting.delete(spec.task);
  }

  /** A worker came: ask it for what others could not answer. */
  workerCame(): void {
    for (const [task, waiting] of this.#waiting) this.#ask(task, waiting);
  }

  /** A worker went, perhaps with our questions: ask the others. */
  workerWent(): void {
    for (const [task, waiting] of this.#waiting) {
      for (const each of waiting) each.asked = false;
      this.#ask(task, waiting);
    }
  }

  /** Nobody will answer any more. */
  close(): void {
    const error = new L2mError('L2M_WORKER_LOST', 'the server is closing');
    for (const waiting of this.#waiting.values()) for (const { reject } of waiting) reject(error);
    this.#waiting.clear();
  }

  #describeOne(task: TaskId): Promise<TaskSpec> {
    const spec = this.specs.get(task);
    if (spec !== undefined) return Promise.resolve(spec);
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.#waiting.delete(task);
        reject(new L2mError('L2M_WORKER_LOST', `no worker described ${task} within ${this.#options.deadlineMs} ms`));
      }, this.#options.deadlineMs);
      const settle = <Value>(pass: (value: Value) => void) => {
        return (value: Value) => {
          clearTimeout(timer);
          pass(value);
        };
      };
      const waiting = this.#waiting.get(task) ?? [];
      waiting.push({ resolve: settle(resolve), reject: settle(reject), asked: false });
      this.#waiting.set(task, waiting);
      this.#ask(task, waiting);
    });
  }

  #ask(task: TaskId, waiting: Waiting[]): void {
    if (waiting.some(({ asked }) => asked)) return;
    if (this.#options.ask(task)) {
      for (const each of waiting) each.asked = true;
      return;
    }
    const known = this.#options.known();
    if (known.length === 0) return;
    this.#waiting.delete(task);
    for (const { reject } of waiting) reject(unknownNameError('L2M_TASK_UNKNOWN', task, known));
  }
}
