import { inspect } from 'node:util';
import { errorFromUnknown } from '../errors.ts';
import type { TrainerReply, TrainerRequest } from './trainer-host.ts';

/** What a training tells its owner, and what it asks between updates. */
export interface TrainingHooks<Event> {
  onEvent(event: Event): void;
  /** True: save and return. */
  stopRequested(): boolean;
}

/**
 * The trainer's side of `runTrainer`: receives the options from its parent, trains, sends events, a result or an error, and ends. It saves and
 * ends too when it is asked to stop or when its parent is gone.
 */
export function serveTrainer(run: (options: never, hooks: TrainingHooks<never>) => Promise<unknown>): void {
  let stopping = false;
  const stop = () => {
    stopping = true;
  };
  const send = (reply: TrainerReply<unknown, unknown>) => {
    if (process.connected) process.send?.(reply);
  };
  const train = async (options: never): Promise<void> => {
    try {
      const result = await run(options, {
        onEvent: (event: unknown) => send({ type: 'event', event }),
        stopRequested: () => stopping,
      });
      send({ type: 'result', result });
    } catch (thrown) {
      process.stderr.write(`${inspect(thrown)}\n`);
      send({ type: 'error', error: errorFromUnknown(thrown).toWire() });
    }
    // tfjs keeps handles open; a connected channel would, too.
    if (process.connected) process.disconnect();
    process.exitCode = 0;
  };
  process.on('SIGINT', stop);
  process.on('SIGTERM', stop);
  process.on('disconnect', stop);
  process.on('message', (request: TrainerRequest<never>) => {
    switch (request.type) {
      case 'stop':
        stop();
        break;
      case 'train':
        void train(request.options);
        break;
    }
  });
}
