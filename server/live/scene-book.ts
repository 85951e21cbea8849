import type { WireError } from '../../protocol/error-codes.ts';
import type { Result } from '../../protocol/result.ts';
import type { TaskId } from '../../protocol/task.ts';
import type { ScenePart, SceneStore, StoredScene } from './scenes.ts';

/** Which geometry belongs to which task: asked for once a task and life of the server, for the page and for recordings. */
export class SceneBook {
  readonly store: SceneStore;
  readonly #ask: (task: TaskId) => boolean;
  readonly #hashes = new Map<TaskId, string>();
  readonly #waiting = new Map<TaskId, Set<() => void>>();

  /** @param ask asks a worker for the geometry of a task; the answer comes through `take`. False if none hosts it */
  constructor(store: SceneStore, ask: (task: TaskId) => boolean) {
    this.store = store;
    this.#ask = ask;
  }

  /** Content address of a task's geometry; empty while it is not known. */
  of(task: TaskId): string {
    return this.#hashes.get(task) ?? '';
  }

  /** A run is about to use these tasks. */
  want(tasks: readonly TaskId[]): void {
    for (const task of tasks) {
      if (!this.#hashes.has(task)) this.#ask(task);
    }
  }

  /** Content address of a task's geometry, asked for if need be; empty if no worker sends it within `deadlineMs`. */
  async ensure(task: TaskId, deadlineMs = 10_000): Promise<string> {
    if (this.#hashes.has(task)) return this.of(task);
    if (!this.#ask(task)) return '';
    const waiting = this.#waiting.get(task) ?? new Set();
    this.#waiting.set(task, waiting);
    await new Promise<void>((resolve) => {
      const timer = setTimeout(over, deadlineMs);
      function over(): void {
        clearTimeout(timer);
        waiting.delete(over);
        resolve();
      }
      waiting.add(over);
    });
    return this.of(task);
  }

  async take(task: TaskId, scene: ScenePart): Promise<Result<StoredScene, WireError>> {
    const stored = await this.store.put(scene);
    if (stored.ok) this.#hashes.set(task, scene.hash);
    for (const over of [...(this.#waiting.get(task) ?? [])]) over();
    return stored;
  }
}
