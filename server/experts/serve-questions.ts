import { inspect } from 'node:util';
import { errorFromUnknown } from '../errors.ts';
import type { ErrorReply } from './question-process.ts';

/**
 * The inside of a `QuestionProcess`: answers one request after the other and ends when its parent is gone.
 * @param answer sends its own answer; whatever it throws becomes one
 */
export function serveQuestions(answer: (request: never) => Promise<void> | void): void {
  let last: Promise<void> = Promise.resolve();
  // Ctrl-C reaches the whole group; the parent decides what happens then.
  process.on('SIGINT', () => undefined);
  process.on('SIGTERM', () => undefined);
  process.on('disconnect', () => process.exit(0));
  process.on('message', (request: unknown) => {
    last = last.then(async () => {
      try {
        await answer(request as never);
      } catch (thrown) {
        process.stderr.write(`${inspect(thrown)}\n`);
        const reply: ErrorReply = { type: 'error', error: errorFromUnknown(thrown).toWire() };
        sendToParent(reply);
      }
    });
  });
}

export function sendToParent(message: object): void {
  if (process.connected) process.send?.(message);
}
