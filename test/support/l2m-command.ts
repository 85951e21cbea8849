import { spawn, type ChildProcess } from 'node:child_process';
import { fileURLToPath } from 'node:url';

export interface Finished {
  readonly exitCode: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface RunningCommand {
  readonly process: ChildProcess;
  readonly finished: Promise<Finished>;
  /** What it has written to stderr so far. */
  stderr(): string;
}

const COMMAND = fileURLToPath(new URL('../../server/l2m.mjs', import.meta.url));

/** Starts `l2m` as a user would, in a process group of its own, so that a signal to it reaches nobody else. */
export function startL2m(args: readonly string[], environment: NodeJS.ProcessEnv = {}): RunningCommand {
  const child = spawn(process.execPath, [COMMAND, ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, ...environment },
  });
  let [stdout, stderr] = ['', ''];
  child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
  const finished = new Promise<Finished>((resolve) => {
    child.on('close', (exitCode, signal) => resolve({ exitCode, signal, stdout, stderr }));
  });
  return { process: child, finished, stderr: () => stderr };
}

export function runL2m(args: readonly string[], environment?: NodeJS.ProcessEnv): Promise<Finished> {
  return startL2m(args, environment).finished;
}
