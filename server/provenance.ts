import { execFileSync } from 'node:child_process';
import { cpus, platform, release, totalmem } from 'node:os';
import { fileURLToPath } from 'node:url';
import { packageVersion } from './cli/package-version.ts';
import type { Provenance } from './store/records.ts';

/** What a result of this process is made with: versions, command, commit, host. No names of people or folders. */
export function currentProvenance(
  simulatorVersions: Readonly<Record<string, string>>,
  backend: string | undefined,
): Provenance {
  return {
    versions: {
      l2m: packageVersion(),
      node: process.version,
      ...simulatorVersions,
      ...(backend === undefined ? {} : { backend }),
    },
    command: process.argv.slice(2),
    gitCommit: gitCommit(),
    host: {
      platform: platform(),
      release: release(),
      cores: cpus().length,
      memoryBytes: totalmem(),
      cpu: cpus()[0]?.model ?? '',
    },
  };
}

/** The commit of the checkout that runs, or null outside one. */
function gitCommit(): string | null {
  try {
    const cwd = fileURLToPath(new URL('..', import.meta.url));
    return execFileSync('git', ['rev-parse', 'HEAD'], {
      cwd,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    }).trim();
  } catch {
    return null;
  }
}
