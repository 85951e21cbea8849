import { fork, type ChildProcess } from 'node:child_process';
import { createWriteStream, mkdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { WireError } from '../../protocol/error-codes.ts';
import { L2mError } from '../errors.ts';

/** The answer to a question that cannot be answered. */
export interface ErrorReply {
  readonly type: 'error';
  readonly error: WireError;
}

interface Waiting<Reply> {
  readonly resolve: (reply: Reply | ErrorReply) => void;
  readonly reject: (error: L2mError) => void;
}

export interface QuestionProcessOptions<Report> {
  /** Module that the process runs. */
  readonly entry: URL;
  /** Where the tensor library's own output goes. */
  readonly logFile: string;
  /** For a person: `the learner`. */
  readonly name: string;
  /** What to do when it died, after "look at the log": `then go on with --resume`. */
  readonly advice: string;
  /** Messages that answer nothing have the type `report`. */
  readonly onReport?: (report: Report) => void;
}

const CLOSE_DEADLINE_MS = 5000;

/**
 * A child process that answers questions in the order they are asked, one answer each: the tensor library blocks its thread and may
 * take its process down with it, so the server never loads it.
 */
export class QuestionProcess<
  Request extends { readonly type: string },
  Reply extends { readonly type: string },
  Report extends { readonly type: 'report' } = never,
> {
  readonly #process: ChildProcess;
  readonly #waiting: Waiting<Reply>[] = [];
  readonly #exited: Promise<void>;
  #failure: L2mError | undefined;

  constructor({ entry, logFile, name, advice, onReport }: QuestionProcessOptions<Report>) {
    mkdirSync(dirname(logFile), { recursive: true });
    const log = createWriteStream(logFile, { flags: 'a' });
    log.on('error', () => undefined);
    this.#process = fork(entry, {
      execArgv: ['--import', pathToFileURL(createRequire(import.meta.url).resolve('tsx')).href],
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
      serialization: 'advanced',
    });
    this.#process.stdout?.pipe(log, { end: false });
    this.#process.stderr?.pipe(log, { end: false });
    this.#exited = new Promise((resolve) => this.#process.once('exit', () => resolve()));
    this.#process.on('message', (message: Reply | ErrorReply | Report) => {
      if (message.type === 'report') onReport?.(message as Report);
      else this.#waiting.shift()?.resolve(message as Reply | ErrorReply);
    });
    this.#process.once('error', (cause) =>
      this.#fail(new L2mError('L2M_AGENT_LOST', `${name} cannot be started`, { cause })),
    );
    this.#process.once('exit', (code, signal) => {
      const how = signal ?? `code ${code ?? 'unknown'}`;
      this.#fail(
        new L2mError('L2M_AGENT_LOST', `${name} ended with ${how}`, { hint: `Look at ${logFile}, ${advice}.` }),
      );
    });
    void this.#exited.then(() => log.end());
  }

  get processId(): number | undefined {
    return this.#process.pid;
  }

  /** @throws L2mError of the process, or L2M_AGENT_LOST if it died */
  ask<Type extends Reply['type']>(request: Request, expected: Type): Promise<Extract<Reply, { type: Type }>> {
    return new Promise((resolve, reject) => {
      if (this.#failure !== undefined) {
        reject(this.#failure);
        return;
      }
      this.#waiting.push({
        reject,
        resolve: (reply) => {
          if (isError(reply)) reject(errorFromWire(reply.error));
          else if (reply.type === expected) resolve(reply as Extract<Reply, { type: Type }>);
          else reject(new L2mError('L2M_INTERNAL', `${reply.type} as an answer to ${request.type}`));
        },
      });
      this.#process.send(request);
    });
  }

  async close(): Promise<void> {
    const deadline = setTimeout(() => this.#process.kill('SIGKILL'), CLOSE_DEADLINE_MS);
    if (this.#process.connected) this.#process.disconnect();
    await this.#exited;
    clearTimeout(deadline);
  }

  #fail(error: L2mError): void {
    this.#failure ??= error;
    for (const { reject } of this.#waiting.splice(0)) reject(this.#failure);
  }
}

function isError(reply: { readonly type: string }): reply is ErrorReply {
  return reply.type === 'error';
}

/** The process' error as if it had been thrown here; its message already holds what was got. */
function errorFromWire({ code, message, hint }: WireError): L2mError {
  const error = new L2mError(code, message, { hint });
  error.message = message;
  return error;
}
