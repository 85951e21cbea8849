import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { Compile } from 'typebox/compile';
import {
  PERFORMANCE_MATRIX_FILE,
  PerformanceMatrixSchema,
  type PerformanceMatrix,
} from '../../protocol/performance-matrix.ts';

const validator = Compile(PerformanceMatrixSchema);
const MOST_MATRICES = 64;
/** A sweep keeps its trainings in folders of its own. */
const DEPTH = 2;
const MOST_BYTES = 32 * 1024 * 1024;

interface Known {
  readonly tag: string;
  readonly matrix: PerformanceMatrix | undefined;
}

/** The performance matrices that continual trainings keep below a directory, also while other processes write them. */
export class PerformanceMatrices {
  readonly #directory: string;
  readonly #damaged: (path: string) => void;
  #known = new Map<string, Known>();

  /** @param damaged told once of each file that is no matrix; it is passed over */
  constructor(directory: string, damaged: (path: string) => void) {
    this.#directory = directory;
    this.#damaged = damaged;
  }

  /** Newest first. A file is read again only if it has changed. */
  async list(): Promise<PerformanceMatrix[]> {
    const found = (await filesBelow(this.#directory, DEPTH)).sort((a, b) => b.changedMs - a.changedMs);
    const known = new Map<string, Known>();
    for (const { path, changedMs, bytes } of found.slice(0, MOST_MATRICES)) {
      const tag = `${changedMs} ${bytes}`;
      const before = this.#known.get(path);
      const matrix = before?.tag === tag ? before.matrix : bytes > MOST_BYTES ? undefined : await read(path);
      if (matrix === undefined && before?.tag !== tag) this.#damaged(path);
      known.set(path, { tag, matrix });
    }
    this.#known = known;
    return [...known.values()].flatMap(({ matrix }) => matrix ?? []);
  }
}

async function filesBelow(
  directory: string,
  depth: number,
): Promise<{ path: string; changedMs: number; bytes: number }[]> {
  const entries = await readdir(directory, { withFileTypes: true }).catch(() => []);
  const found = await Promise.all(
    entries.map(async (entry) => {
      const path = join(directory, entry.name);
      if (entry.isDirectory()) return depth > 0 ? filesBelow(path, depth - 1) : [];
      if (entry.name !== PERFORMANCE_MATRIX_FILE) return [];
      // It may be gone again.
      const facts = await stat(path).catch(() => undefined);
      return facts === undefined ? [] : [{ path, changedMs: facts.mtimeMs, bytes: facts.size }];
    }),
  );
  return found.flat();
}

async function read(path: string): Promise<PerformanceMatrix | undefined> {
  try {
    const value: unknown = JSON.parse(await readFile(path, 'utf8'));
    return validator.Check(value) ? value : undefined;
  } catch {
    return undefined;
  }
}
