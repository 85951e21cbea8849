import { execFile } from 'node:child_process';

/** Longest that any program may take to say what it is: a cold start of TensorFlow from a slow disk takes tens of seconds. */
const DEADLINE_MS = 90_000;
const MAX_OUTPUT_BYTES = 1 << 20;

export type Answer = { readonly ok: true; readonly text: string } | { readonly ok: false; readonly reason: string };

/** Runs a program and returns what it printed; a failure comes back as its last line, never as an exception. */
export function askProgram(command: string, args: readonly string[]): Promise<Answer> {
  return new Promise((resolve) => {
    const options = { timeout: DEADLINE_MS, maxBuffer: MAX_OUTPUT_BYTES, killSignal: 'SIGKILL' } as const;
    execFile(command, args, options, (error, stdout, stderr) => {
      if (error === null) resolve({ ok: true, text: stdout.trim() });
      else if (error.killed === true) resolve({ ok: false, reason: `no answer within ${DEADLINE_MS / 1000} s` });
      else resolve({ ok: false, reason: lastLine(stderr) ?? error.message });
    });
  });
}

function lastLine(text: string): string | undefined {
  const line = text.trim().split('\n').at(-1)?.trim();
  return line === '' ? undefined : line;
}
