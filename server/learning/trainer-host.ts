import { fork, type ChildProcess } from 'node:child_process';
import { createWriteStream, mkdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { WireError } from '../../protocol/error-codes.ts';
import { L2mError } from '../errors.ts';

export type TrainerRequest<Options> = { readonly type: 'train'; readonly options: Options } | { readonly type: 'stop' };
export type TrainerReply<Event, Result> =
  | { readonly type: 'event'; readonly event: Event }
  | { readonly type: 'result'; readonly result: Result }
  | { readonly type: 'error'; readonly error: WireError };

export interface TrainerJob<Options> {
  /** Module that calls `serveTrainer`. */
  readonly entry: URL;
  readonly options: Options;
  /** Where the tensor library's own output goes. */
  readonly logPath: string;
}

export interface TrainerHooks<Event> {
  onEvent?(event: Event): void;
  /** Aborting asks the trainer to save and to end. */
  readonly signal?: AbortSignal;
}

/** Between updates a stop is seen at once, and a save of a large model takes seconds; after this the trainer is killed. */
const STOP_DEADLINE_MS = 120_000;

/**
 * Trains in a process of its own, because the tensor library blocks its thread, reads its settings from the environment once, and may take the
 * process down with it.
 *
 * @throws L2mError of the trainer; L2M_AGENT_LOST if it died, whose last saved state can be resumed
 */
export async function runTrainer<Options, Event, Result>(
  { entry, options, logPath }: TrainerJob<Options>,
  hooks: TrainerHooks<Event>,
): Promise<Result> {
  mkdirSync(dirname(logPath), { recursive: true });
  const log = createWriteStream(logPath, { flags: 'a' });
  const trainer = fork(entry, {
    execArgv: ['--import', pathToFileURL(createRequire(import.meta.url).resolve('tsx')).href],
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  });
  trainer.stdout?.pipe(log, { end: false });
  trainer.stderr?.pipe(log, { end: false });
  const cancel = stopOnAbort(trainer, hooks.signal);
  try {
    const outcome = outcomeOf<Result>(trainer, { onEvent: hooks.onEvent?.bind(hooks), logPath });
    trainer.send({ type: 'train', options } satisfies TrainerRequest<Options>);
    return await outcome;
  } finally {
    cancel();
    log.end();
  }
}

function outcomeOf<Result>(
  trainer: ChildProcess,
  { onEvent, logPath }: { onEvent: ((event: never) => void) | undefined; logPath: string },
): Promise<Result> {
  return new Promise((resolve, reject) => {
    trainer.on('message', (reply: TrainerReply<never, Result>) => {
      switch (reply.type) {
        case 'event':
          onEvent?.(reply.event);
          break;
        case 'result':
          resolve(reply.result);
          break;
        case 'error':
          reject(errorFromWire(reply.error));
          break;
      }
    });
    trainer.once('error', (cause) => {
      reject(new L2mError('L2M_AGENT_LOST', 'the trainer cannot be started', { cause }));
    });
    trainer.once('exit', (code, signal) => {
      // After a result or an error this changes nothing.
      reject(
        new L2mError('L2M_AGENT_LOST', `the trainer ended with ${signal ?? `code ${code}`}`, {
          hint: `Look at ${logPath}, then go on with --resume.`,
        }),
      );
    });
  });
}

function stopOnAbort(trainer: ChildProcess, signal: AbortSignal | undefined): () => void {
  let deadline: NodeJS.Timeout | undefined;
  const stop = () => {
    if (trainer.connected) trainer.send({ type: 'stop' } satisfies TrainerRequest<never>);
    deadline = setTimeout(() => trainer.kill('SIGKILL'), STOP_DEADLINE_MS);
  };
  if (signal?.aborted === true) stop();
  else signal?.addEventListener('abort', stop, { once: true });
  return () => {
    signal?.removeEventListener('abort', stop);
    clearTimeout(deadline);
  };
}

/** The trainer's error as if it had been thrown here; its message already holds what was got. */
function errorFromWire({ code, message, hint }: WireError): L2mError {
  const error = new L2mError(code, message, { hint });
  error.message = message;
  return error;
}
