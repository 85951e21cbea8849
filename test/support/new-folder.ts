import { onTestFinished } from 'vitest';
import { temporaryFolder } from './live-server.ts';

/** Path of a new folder that is removed when the test that asked for it is over. */
export function newFolder(): string {
  const folder = temporaryFolder();
  onTestFinished(folder.remove);
  return folder.path;
}
