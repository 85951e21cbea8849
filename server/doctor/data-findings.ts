import { existsSync, rmSync, statfsSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { good, missing, warning, type Finding } from './finding.ts';

const SCARCE_BYTES = 2e9;
const TOO_LITTLE_BYTES = 1e8;

/** Whether runs can be written to the data directory. A directory that is not there yet is not made: its parent is asked. */
export function dataFinding(directory: string): Finding {
  const place = nearestExisting(path.resolve(directory));
  const problem = whyNotWritable(place);
  const fix = 'Name another directory with `--data`, or make this one writable.';
  if (problem !== undefined) return missing('data directory', `${place} cannot be written: ${problem}`, fix);
  const disk = statfsSync(place);
  return judgeFreeSpace(path.resolve(directory), disk.bavail * disk.bsize);
}

export function judgeFreeSpace(directory: string, freeBytes: number): Finding {
  const detail = `${directory}, ${(freeBytes / 1e9).toFixed(1)} GB free`;
  const fix = 'Free some space, or name a directory on another disk with `--data`.';
  if (freeBytes < TOO_LITTLE_BYTES) return missing('data directory', detail, fix);
  return freeBytes < SCARCE_BYTES ? warning('data directory', detail, fix) : good('data directory', detail);
}

function nearestExisting(directory: string): string {
  return existsSync(directory) ? directory : nearestExisting(path.dirname(directory));
}

/** Asks by doing: permission bits say little on read-only and network file systems, and nothing to root. */
function whyNotWritable(directory: string): string | undefined {
  const file = path.join(directory, `.l2m-doctor-${process.pid}`);
  try {
    writeFileSync(file, 'can be removed');
    rmSync(file);
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}
