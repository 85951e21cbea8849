import { parseManifest, type SceneManifest } from './manifest.ts';
import { SceneModel } from './scene-model.ts';

/** Scenes beyond this many that nobody shows are let go, so that a long evaluation does not fill the graphics memory. */
const MOST_KEPT = 24;
const ATTEMPTS = 3;
const RETRY_MS = 1500;

interface Entry {
  readonly loading: Promise<SceneModel>;
  model: SceneModel | null;
  users: number;
}

/** Scenes by content address, fetched once each. */
export class SceneLibrary {
  readonly #entries = new Map<string, Entry>();
  readonly #fetch: (path: string) => Promise<Response>;

  /** @param fetcher gets a path such as `scene/<hash>` */
  constructor(fetcher: (path: string) => Promise<Response>) {
    this.#fetch = fetcher;
  }

  /** Every `use` needs one `release`, whether or not the scene could be had. @throws Error in words for a person */
  async use(hash: string): Promise<SceneModel> {
    let entry = this.#entries.get(hash);
    if (entry === undefined) {
      const made: Entry = { loading: this.#load(hash), model: null, users: 0 };
      made.loading.then(
        (model) => (made.model = model),
        () => this.#entries.delete(hash),
      );
      this.#entries.set(hash, made);
      entry = made;
    }
    entry.users++;
    return entry.loading;
  }

  release(hash: string): void {
    const entry = this.#entries.get(hash);
    if (entry === undefined) return;
    entry.users--;
    for (const [oldest, each] of this.#entries) {
      if (this.#entries.size <= MOST_KEPT) return;
      if (each.users > 0 || each.model === null) continue;
      each.model.dispose();
      this.#entries.delete(oldest);
    }
  }

  dispose(): void {
    for (const entry of this.#entries.values()) entry.model?.dispose();
    this.#entries.clear();
  }

  async #load(hash: string): Promise<SceneModel> {
    const [manifest, assets] = await Promise.all([
      this.#get(`scene/${hash}`).then((response) => response.json() as Promise<SceneManifest>),
      this.#get(`scene/${hash}/assets`).then((response) => response.arrayBuffer()),
    ]);
    return new SceneModel(parseManifest(manifest), assets);
  }

  async #get(path: string): Promise<Response> {
    for (let attempt = 1; ; attempt++) {
      try {
        const response = await this.#fetch(path);
        if (response.ok) return response;
        if (attempt === ATTEMPTS) throw new Error(`the server answered ${response.status}`);
      } catch (error) {
        if (attempt === ATTEMPTS) throw error;
      }
      await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
    }
  }
}
