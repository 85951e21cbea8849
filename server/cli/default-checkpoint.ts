import { fileURLToPath } from 'node:url';
import { relative } from 'node:path';

/** The shipped policy, relative to where the command runs, so that no path of this machine is stored with a run. */
export function defaultCheckpoint(): string {
  return relative(process.cwd(), fileURLToPath(new URL('../../agent/checkpoints/mt10', import.meta.url))) || '.';
}
