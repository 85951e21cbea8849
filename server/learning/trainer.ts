/**
 * Entry of the trainer process: receives the options from its parent, trains, sends events, a result or an error, and ends. It saves and ends too
 * when it is asked to stop or when its parent is gone.
 */
import { inspect } from 'node:util';
import { errorFromUnknown } from '../errors.ts';
import type { PretrainOptions } from './pretrain-options.ts';
import type { TrainerRequest, TrainerReply } from './pretrain.ts';
import { runPretraining } from './training-run.ts';

let stopping = false;
const stop = () => {
  stopping = true;
};
process.on('SIGINT', stop);
process.on('SIGTERM', stop);
process.on('disconnect', stop);
process.on('message', (request: TrainerRequest) => {
  switch (request.type) {
    case 'stop':
      stop();
      break;
    case 'train':
      void train(request.options);
      break;
  }
});

async function train(options: PretrainOptions): Promise<void> {
  try {
    const result = await runPretraining(options, {
      onEvent: (event) => send({ type: 'event', event }),
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
}

function send(reply: TrainerReply): void {
  if (process.connected) process.send?.(reply);
}
