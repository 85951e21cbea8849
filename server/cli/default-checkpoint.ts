import { fileURLToPath } from 'node:url';
import { relative } from 'node:path';

/** Policies that come with the program: of both suites, and a smaller one of ten Meta-World tasks (agent/checkpoints/README.md). */
export type ShippedCheckpoint = 'joint' | 'mt10';

/** A shipped policy's folder, relative to where the command runs, so that no path of this machine is stored with a run. */
export function shippedCheckpoint(name: ShippedCheckpoint): string {
  return relative(process.cwd(), fileURLToPath(new URL(`../../agent/checkpoints/${name}`, import.meta.url))) || '.';
}

/** What commands use unless told otherwise. */
export function defaultCheckpoint(): string {
  return shippedCheckpoint('joint');
}
