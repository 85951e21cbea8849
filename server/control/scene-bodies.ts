import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';
import type { TaskId } from '../../protocol/task.ts';
import type { SceneBook } from '../live/scene-book.ts';

const unpacked = promisify(gunzip);

/** How many bodies the scene of a task has, the world included; read once from its manifest. 0 while it is not known. */
export class SceneBodies {
  readonly #scenes: Pick<SceneBook, 'of' | 'store'>;
  readonly #counts = new Map<string, number>();

  constructor(scenes: Pick<SceneBook, 'of' | 'store'>) {
    this.#scenes = scenes;
  }

  async of(task: TaskId): Promise<number> {
    const hash = this.#scenes.of(task);
    const known = this.#counts.get(hash);
    if (known !== undefined) return known;
    const scene = await this.#scenes.store.get(hash);
    if (scene === undefined) return 0;
    const manifest = JSON.parse((await unpacked(scene.manifest)).toString()) as { frames: { kind: string }[] };
    // Bodies come first among the frames, and frame 0 is the world.
    const count = manifest.frames.filter(({ kind }) => kind === 'body').length;
    this.#counts.set(hash, count);
    return count;
  }
}
