import { buildServer, type LiveServer } from '../build-server.ts';
import type { ServerConfig } from '../config-schema.ts';
import type { ContinualProgress } from '../continual/continual-events.ts';
import type { ContinualSettings } from '../continual/continual-options.ts';
import type { ContinualHooks } from '../continual/run-continual.ts';
import { ProgressLine, durationText } from './progress-line.ts';
import { saveOnSignal } from './save-on-signal.ts';

export interface ContinualSession {
  readonly server: LiveServer;
  readonly progress: ProgressLine;
  readonly signal: AbortSignal;
  /** What a training tells, on the progress line. */
  readonly hooks: (settings: () => Pick<ContinualSettings, 'sequence' | 'stepsPerTask'> | undefined) => ContinualHooks;
}

/** Opens a server for the length of some work; Ctrl-C asks the work to save and stop. */
export async function withContinualSession<Result>(
  config: ServerConfig,
  serve: boolean,
  work: (session: ContinualSession) => Promise<Result>,
): Promise<Result> {
  const progress = new ProgressLine();
  const stop = saveOnSignal(progress);
  const server = await buildServer(config, { serve, note: (text) => progress.note(text) });
  try {
    if (server.url !== undefined) progress.note(`page and API at ${server.url}`);
    const { signal } = stop;
    return await work({ server, progress, signal, hooks: (settings) => hooksFor(progress, signal, settings) });
  } finally {
    progress.end();
    stop.release();
    await server.close();
  }
}

function hooksFor(
  progress: ProgressLine,
  signal: AbortSignal,
  settings: () => Pick<ContinualSettings, 'sequence' | 'stepsPerTask'> | undefined,
): ContinualHooks {
  let training = 'preparing';
  let evaluating = '';
  const show = () => progress.update(evaluating === '' ? training : `${training}; ${evaluating}`);
  return {
    signal,
    note: (text) => progress.note(text),
    evaluating: (update, finished, planned) => {
      evaluating = `evaluating after ${update}: ${finished}/${planned} episodes`;
      show();
    },
    evaluated: () => {
      evaluating = '';
      show();
    },
    onEvent: (event) => {
      switch (event.type) {
        case 'preparing':
          training = event.what;
          break;
        case 'started':
          progress.note(
            `${event.parameterCount} weights learn; ${event.backend}` +
              (event.update > 0 ? `; going on after ${event.update} updates` : ''),
          );
          break;
        case 'task':
          progress.note(`task ${event.position + 1}: ${event.task ?? ''}`);
          break;
        case 'progress':
          training = progressText(event, settings());
          break;
        case 'snapshot':
        case 'saved':
          break;
      }
      show();
    },
  };
}

/** `task 2/10, update 1500/10000, loss 1.2031, 3.1 updates/s, 45 min 10 s left` */
export function progressText(
  event: ContinualProgress,
  settings: Pick<ContinualSettings, 'sequence' | 'stepsPerTask'> | undefined,
): string {
  const tasks = settings?.sequence.length;
  const total = settings === undefined ? undefined : settings.sequence.length * settings.stepsPerTask;
  return [
    `task ${event.position + 1}${tasks === undefined ? '' : `/${tasks}`}`,
    `update ${event.update}${total === undefined ? '' : `/${total}`}`,
    `loss ${event.loss.toFixed(4)}`,
    ...(event.similarity === 0 ? [] : [`similarity ${event.similarity.toFixed(3)}`]),
    ...(event.penalty === 0 ? [] : [`penalty ${event.penalty.toExponential(1)}`]),
    `${event.updatesPerSecond.toFixed(1)} updates/s`,
    `${durationText(event.secondsLeft)} left`,
  ].join(', ');
}
