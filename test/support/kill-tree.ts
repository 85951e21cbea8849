import { readFileSync } from 'node:fs';
import { expect } from 'vitest';
import type { Finished, RunningCommand } from './l2m-command.ts';
import { until } from './live-server.ts';

/** Ends a process and all that it started, without a chance to save. */
export function killTree(processId: number): void {
  const children = readFileSync(`/proc/${processId}/task/${processId}/children`, 'utf8')
    .trim()
    .split(' ')
    .filter(Boolean);
  process.kill(processId, 'SIGKILL');
  for (const child of children) {
    try {
      killTree(Number(child));
    } catch (error) {
      if (!['ESRCH', 'ENOENT'].includes((error as NodeJS.ErrnoException).code ?? '')) throw error;
    }
  }
}

/** Kills a command and all that it started as soon as its stderr says what is waited for; fails if it ends before. */
export async function killWhen(running: RunningCommand, what: RegExp): Promise<Finished> {
  await until(String(what), () => what.test(running.stderr()) || running.process.exitCode !== null, 300_000);
  expect(running.process.exitCode, running.stderr()).toBeNull();
  killTree(running.process.pid ?? 0);
  return running.finished;
}
