import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, rmSync, statSync } from 'node:fs';
import { createRequire } from 'node:module';
import { arch, cpus } from 'node:os';
import path from 'node:path';

/** A model of width 128 takes about 25 MB a compiled graph with its weights inside. */
const MAX_CACHE_BYTES = 2 ** 30;

/**
 * Prepares a folder in which TensorFlow keeps what XLA compiled, so that the next start loads it in a fraction of the time.
 * The folder holds code for this processor and this build of the library only: others get their own beside it. What was not
 * used for longest goes when all of them exceed a gigabyte.
 *
 * @returns the folder, or null if the place cannot be used
 */
export function prepareGraphCache(place: string): string | null {
  const folder = path.join(place, machineKey());
  // TensorFlow reads the folder out of a list of flags, where a space would end it.
  if (/[\s'"]/.test(folder)) return null;
  try {
    mkdirSync(folder, { recursive: true });
    prune(place);
    return folder;
  } catch {
    return null;
  }
}

/** @returns whether there was anything to forget */
export function clearGraphCache(folder: string): boolean {
  const names = readdirSync(folder);
  for (const name of names) rmSync(path.join(folder, name), { force: true });
  return names.length > 0;
}

function machineKey(): string {
  const manifest = createRequire(import.meta.url).resolve('@tensorflow/tfjs-node-gpu/package.json');
  const addon = path.join(path.dirname(manifest), 'lib/napi-v8/tfjs_binding.node');
  const built = statSync(addon, { throwIfNoEntry: false })?.mtimeMs ?? 0;
  const facts = [arch(), cpus()[0]?.model ?? '', built].join('|');
  return createHash('sha256').update(facts).digest('hex').slice(0, 12);
}

function prune(place: string): void {
  const files = readdirSync(place, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => {
      const file = path.join(entry.parentPath, entry.name);
      const { size, atimeMs, mtimeMs } = statSync(file);
      return { file, size, usedMs: Math.max(atimeMs, mtimeMs) };
    })
    .sort((a, b) => b.usedMs - a.usedMs);
  let bytes = 0;
  for (const { file, size } of files) {
    bytes += size;
    if (bytes > MAX_CACHE_BYTES) rmSync(file, { force: true });
  }
}
