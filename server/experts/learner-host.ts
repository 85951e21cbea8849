import { fork, type ChildProcess } from 'node:child_process';
import { createWriteStream, mkdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname } from 'node:path';
import { pathToFileURL } from 'node:url';
import { L2mError } from '../errors.ts';
import type { LearnerReply, LearnerReport, LearnerRequest } from './learner-messages.ts';

type Answer<Type extends LearnerReply['type']> = Extract<LearnerReply, { type: Type }>;

interface Waiting {
  readonly resolve: (reply: LearnerReply) => void;
  readonly reject: (error: L2mError) => void;
}

const CLOSE_DEADLINE_MS = 5000;

/** The learner's process as seen from the server: the tensor library blocks its thread and may take its process down with it. */
export class LearnerHost {
  readonly #process: ChildProcess;
  readonly #waiting: Waiting[] = [];
  readonly #exited: Promise<void>;
  #failure: L2mError | undefined;

  /** @param logFile where the tensor library's own output goes */
  constructor(logFile: string, onReport: (report: LearnerReport) => void) {
    mkdirSync(dirname(logFile), { recursive: true });
    const log = createWriteStream(logFile, { flags: 'a' });
    log.on('error', () => undefined);
    this.#process = fork(new URL('./learner-process.ts', import.meta.url), {
      execArgv: ['--import', pathToFileURL(createRequire(import.meta.url).resolve('tsx')).href],
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
      serialization: 'advanced',
    });
    this.#process.stdout?.pipe(log, { end: false });
    this.#process.stderr?.pipe(log, { end: false });
    this.#exited = new Promise((resolve) => this.#process.once('exit', () => resolve()));
    this.#process.on('message', (message: LearnerReply | LearnerReport) => {
      if (message.type === 'report') onReport(message);
      else this.#waiting.shift()?.resolve(message);
    });
    this.#process.once('error', (cause) =>
      this.#fail(new L2mError('L2M_AGENT_LOST', 'the learner cannot be started', { cause })),
    );
    this.#process.once('exit', (code, signal) => {
      const how = signal ?? `code ${code ?? 'unknown'}`;
      this.#fail(
        new L2mError('L2M_AGENT_LOST', `the learner ended with ${how}`, {
          hint: `Look at ${logFile}, then go on with --resume.`,
        }),
      );
    });
    void this.#exited.then(() => log.end());
  }

  get processId(): number | undefined {
    return this.#process.pid;
  }

  /** @throws L2mError of the learner, or L2M_AGENT_LOST if it died */
  begin(request: Omit<Extract<LearnerRequest, { type: 'begin' }>, 'type'>): Promise<Answer<'begun'>> {
    return this.#ask({ type: 'begin', ...request }, 'begun');
  }

  async put(request: Omit<Extract<LearnerRequest, { type: 'put' }>, 'type'>): Promise<void> {
    await this.#ask({ type: 'put', ...request }, 'done');
  }

  /** @param observations [E, W] @param rewards [E] @returns [E, A]; the updates follow after the answer */
  async decide(observations: Float32Array, rewards: Float32Array): Promise<Float32Array> {
    return (await this.#ask({ type: 'decide', observations, rewards }, 'actions')).actions;
  }

  /** @param observations [n, W], n <= E @returns [n, A] without chance */
  async choose(observations: Float32Array): Promise<Float32Array> {
    return (await this.#ask({ type: 'choose', observations }, 'actions')).actions;
  }

  /** Saves when everything asked before is done, updates included. */
  save(): Promise<Answer<'saved'>> {
    return this.#ask({ type: 'save' }, 'saved');
  }

  async close(): Promise<void> {
    const deadline = setTimeout(() => this.#process.kill('SIGKILL'), CLOSE_DEADLINE_MS);
    if (this.#process.connected) this.#process.disconnect();
    await this.#exited;
    clearTimeout(deadline);
  }

  #ask<Type extends LearnerReply['type']>(request: LearnerRequest, expected: Type): Promise<Answer<Type>> {
    return new Promise((resolve, reject) => {
      if (this.#failure !== undefined) {
        reject(this.#failure);
        return;
      }
      this.#waiting.push({
        reject,
        resolve: (reply) => {
          if (reply.type === 'error') reject(errorFromWire(reply.error));
          else if (reply.type === expected) resolve(reply as Answer<Type>);
          else reject(new L2mError('L2M_INTERNAL', `${reply.type} as an answer to ${request.type}`));
        },
      });
      this.#process.send(request);
    });
  }

  #fail(error: L2mError): void {
    this.#failure ??= error;
    for (const { reject } of this.#waiting.splice(0)) reject(this.#failure);
  }
}

/** The learner's error as if it had been thrown here; its message already holds what was got. */
function errorFromWire({ code, message, hint }: Answer<'error'>['error']): L2mError {
  const error = new L2mError(code, message, { hint });
  error.message = message;
  return error;
}
