import { fork, type ChildProcess } from 'node:child_process';
import { createWriteStream, mkdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { WireError } from '../../protocol/error-codes.ts';
import { L2mError } from '../errors.ts';
import type { PretrainEvent, PretrainResult } from './pretrain-events.ts';
import { checkPretrainOptions, type PretrainOptions } from './pretrain-options.ts';

export type TrainerRequest = { readonly type: 'train'; readonly options: PretrainOptions } | { readonly type: 'stop' };
export type TrainerReply =
  | { readonly type: 'event'; readonly event: PretrainEvent }
  | { readonly type: 'result'; readonly result: PretrainResult }
  | { readonly type: 'error'; readonly error: WireError };

export interface PretrainHooks {
  onEvent?(event: PretrainEvent): void;
  /** Aborting saves a state, writes the checkpoint and resolves with outcome `stopped`. */
  readonly signal?: AbortSignal;
}

/** Between updates a stop is seen at once, and a save of a large model takes seconds; after this the trainer is killed. */
const STOP_DEADLINE_MS = 120_000;

/**
 * Pre-trains in a process of its own, because the tensor library blocks its thread, reads its settings from the environment once, and may take the
 * process down with it. Output of the library goes to `trainer.log` in the training folder.
 *
 * @throws L2mError of the trainer; L2M_AGENT_LOST if it died, whose last saved state can be resumed
 */
export async function pretrain(options: PretrainOptions, hooks: PretrainHooks = {}): Promise<PretrainResult> {
  checkPretrainOptions(options);
  mkdirSync(options.trainingFolder, { recursive: true });
  const logPath = join(options.trainingFolder, 'trainer.log');
  const log = createWriteStream(logPath, { flags: 'a' });
  const trainer = fork(new URL('./trainer.ts', import.meta.url), {
    execArgv: ['--import', pathToFileURL(createRequire(import.meta.url).resolve('tsx')).href],
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  });
  trainer.stdout?.pipe(log, { end: false });
  trainer.stderr?.pipe(log, { end: false });
  const cancel = stopOnAbort(trainer, hooks.signal);
  try {
    return await outcomeOf(trainer, options, { onEvent: hooks.onEvent?.bind(hooks), logPath });
  } finally {
    cancel();
    log.end();
  }
}

function outcomeOf(
  trainer: ChildProcess,
  options: PretrainOptions,
  { onEvent, logPath }: { onEvent: ((event: PretrainEvent) => void) | undefined; logPath: string },
): Promise<PretrainResult> {
  return new Promise((resolve, reject) => {
    trainer.on('message', (reply: TrainerReply) => {
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
    trainer.send({ type: 'train', options } satisfies TrainerRequest);
  });
}

function stopOnAbort(trainer: ChildProcess, signal: AbortSignal | undefined): () => void {
  let deadline: NodeJS.Timeout | undefined;
  const stop = () => {
    if (trainer.connected) trainer.send({ type: 'stop' } satisfies TrainerRequest);
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
