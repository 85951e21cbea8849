import type { WireError } from '../../protocol/error-codes.ts';
import type { Result } from '../../protocol/result.ts';
import type { TaskId } from '../../protocol/task.ts';
import type { ScenePart, SceneStore, StoredScene } from './scenes.ts';

/** Which geometry belongs to which task: asked for once a task and life of the server, for the page and for recordings. */
export class SceneBook {
  readonly store: SceneStore;
  readonly #ask: (task: TaskId) => void;
  readonly #hashes = new Map<TaskId, string>();

  /** @param ask asks a worker for the geometry of a task; the answer comes through `take` */
  constructor(store: SceneStore, ask: (task: TaskId) => void) {
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

  async take(task: TaskId, scene: ScenePart): Promise<Result<StoredScene, WireError>> {
    const stored = await this.store.put(scene);
    if (stored.ok) this.#hashes.set(task, scene.hash);
    return stored;
  }
}
