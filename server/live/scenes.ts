import { createHash } from 'node:crypto';
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import { wireError, type WireError } from '../../protocol/error-codes.ts';
import { failure, success, type Result } from '../../protocol/result.ts';

const compressed = promisify(gzip);
const HASH = /^[0-9a-f]{64}$/;
const MOST_REMEMBERED_BYTES = 128 * 1024 * 1024;

/** Both parts as they are sent: gzip, because a mesh shrinks to two thirds and JSON to a sixth. */
export interface StoredScene {
  readonly manifest: Buffer;
  readonly assets: Buffer;
}

export interface ScenePart {
  readonly hash: string;
  /** JSON text. */
  readonly manifest: Uint8Array;
  readonly assets: Uint8Array;
}

/** SHA-256 (hex) over the manifest's length (u64, little-endian), the manifest, and the assets; as the exporter makes it. */
export function sceneHash(manifest: Uint8Array, assets: Uint8Array): string {
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(manifest.byteLength));
  return createHash('sha256').update(length).update(manifest).update(assets).digest('hex');
}

/** Scenes by content address: the newest in memory, all of them as files, so that a page finds them after a restart too. */
export class SceneStore {
  readonly #directory: string;
  readonly #remembered = new Map<string, StoredScene>();
  readonly #arriving = new Map<string, Promise<Result<StoredScene, WireError>>>();
  readonly #mostBytes: number;

  /** @param directory made when the first scene arrives */
  constructor(directory: string, mostRememberedBytes = MOST_REMEMBERED_BYTES) {
    this.#directory = directory;
    this.#mostBytes = mostRememberedBytes;
  }

  /**
   * Takes what a worker sent. The bytes are checked against the hash: a scene is cached for ever under it. A full disk does
   * not lose the scene for this life of the server: it stays in memory.
   */
  async put(scene: ScenePart): Promise<Result<StoredScene, WireError>> {
    const known = await this.get(scene.hash);
    if (known !== undefined) return success(known);
    const arriving = this.#arriving.get(scene.hash) ?? this.#take(scene);
    this.#arriving.set(scene.hash, arriving);
    return arriving.finally(() => this.#arriving.delete(scene.hash));
  }

  /** Takes the geometry of one episode: it is remembered while there is room, and on disk only in that episode's recording. */
  async hold(scene: ScenePart): Promise<Result<StoredScene, WireError>> {
    const made = await this.#checked(scene);
    if (made.ok) this.#remember(scene.hash, made.value);
    return made;
  }

  /** Whether a worker need not send it; looks at memory and disk. */
  async has(hash: string): Promise<boolean> {
    return (await this.get(hash)) !== undefined;
  }

  async get(hash: string): Promise<StoredScene | undefined> {
    const remembered = this.#remembered.get(hash);
    if (remembered !== undefined) {
      this.#remember(hash, remembered);
      return remembered;
    }
    if (!HASH.test(hash)) return undefined;
    try {
      const [manifest, assets] = await Promise.all([
        readFile(this.#path(hash, 'json')),
        readFile(this.#path(hash, 'bin')),
      ]);
      const scene = { manifest, assets };
      this.#remember(hash, scene);
      return scene;
    } catch {
      // Not there, or not readable: either way the worker is asked for it again.
      return undefined;
    }
  }

  async #take(part: ScenePart): Promise<Result<StoredScene, WireError>> {
    const made = await this.#checked(part);
    if (!made.ok) return made;
    this.#remember(part.hash, made.value);
    await this.#write(part.hash, made.value).catch(() => undefined);
    return made;
  }

  async #checked(part: ScenePart): Promise<Result<StoredScene, WireError>> {
    if (sceneHash(part.manifest, part.assets) !== part.hash) {
      return failure(wireError('L2M_MESSAGE_INVALID', 'a scene does not match its hash'));
    }
    const [manifest, assets] = await Promise.all([compressed(part.manifest), compressed(part.assets)]);
    return success({ manifest, assets });
  }

  /** The manifest is renamed last, so that one that is there implies its assets. */
  async #write(hash: string, scene: StoredScene): Promise<void> {
    await mkdir(this.#directory, { recursive: true });
    for (const [extension, bytes] of [
      ['bin', scene.assets],
      ['json', scene.manifest],
    ] as const) {
      const path = this.#path(hash, extension);
      const temporary = `${path}.${process.pid}.part`;
      await writeFile(temporary, bytes);
      await rename(temporary, path);
    }
  }

  #path(hash: string, extension: 'json' | 'bin'): string {
    return join(this.#directory, `${hash}.${extension}.gz`);
  }

  #remember(hash: string, scene: StoredScene): void {
    this.#remembered.delete(hash);
    this.#remembered.set(hash, scene);
    let bytes = 0;
    for (const each of this.#remembered.values()) bytes += each.manifest.byteLength + each.assets.byteLength;
    for (const [oldest, each] of this.#remembered) {
      if (bytes <= this.#mostBytes || oldest === hash) return;
      this.#remembered.delete(oldest);
      bytes -= each.manifest.byteLength + each.assets.byteLength;
    }
  }
}
