import { spawn } from 'node:child_process';
import { createWriteStream, mkdirSync } from 'node:fs';
import path from 'node:path';
import { paths } from './paths.mjs';

/** A command that failed, with the end of what it printed and where the whole of it lies. */
class CommandFailed extends Error {
  constructor(what, tail, logFile) {
    super(
      `${what}\n${tail.map((line) => `    ${line}`).join('\n')}\n    (whole output: ${path.relative(paths.root, logFile)})`,
    );
    this.name = 'CommandFailed';
    this.tail = tail;
  }
}

/**
 * Runs a command to its end; its output goes to `.l2m/logs/<log>.log`.
 *
 * @param {string} command
 * @param {string[]} args
 * @param {{ log: string, cwd?: string, env?: Record<string, string>, deadlineMs?: number }} options
 * @returns {Promise<string[]>} the last 200 lines printed
 * @throws {CommandFailed} on a nonzero exit, when the command cannot be started, or has not ended after deadlineMs (half an hour)
 */
export function runCommand(command, args, options) {
  mkdirSync(paths.logs, { recursive: true });
  const logFile = path.join(paths.logs, `${options.log}.log`);
  const log = createWriteStream(logFile, { flags: 'a' });
  log.write(`\n$ ${command} ${args.join(' ')}\n`);
  const tail = [];
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, {
      cwd: options.cwd ?? paths.root,
      env: { ...process.env, NO_COLOR: '1', FORCE_COLOR: '0', ...options.env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const stopChild = () => child.kill('SIGTERM');
    const timer = setTimeout(stopChild, options.deadlineMs ?? 1_800_000);
    process.once('exit', stopChild);
    let rest = '';
    const take = (text) => {
      log.write(text);
      const lines = (rest + text).split(/\r?\n|\r/);
      rest = lines.pop() ?? '';
      for (const line of lines) {
        // A stack trace would push what was said before it out of sight; the log file has it.
        if (line.trim() === '' || /^\s+at .*:\d+:\d+\)?$/.test(line)) continue;
        tail.push(line);
        if (tail.length > 200) tail.shift();
      }
    };
    child.stdout.setEncoding('utf8').on('data', take);
    child.stderr.setEncoding('utf8').on('data', take);
    const finish = (problem) => {
      clearTimeout(timer);
      process.removeListener('exit', stopChild);
      log.end();
      if (rest.trim() !== '') tail.push(rest);
      if (problem === undefined) resolve(tail);
      else
        reject(
          new CommandFailed(
            `${path.basename(command)} ${args.slice(0, 3).join(' ')}: ${problem}`,
            tail.slice(-12),
            logFile,
          ),
        );
    };
    child.once('error', (error) => finish(error.message));
    child.once('close', (code, signal) =>
      finish(code === 0 ? undefined : signal ? `ended by ${signal}` : `exit code ${code}`),
    );
  });
}
