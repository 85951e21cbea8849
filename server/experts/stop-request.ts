import type { LiveServer } from '../build-server.ts';
import { L2mError } from '../errors.ts';
import type { RunHandle } from '../rollouts/run-service.ts';

const WATCH_EVERY_MS = 1000;

/** Whether a training has to stop: asked by its owner, out of time, or failed. Stopping is final. */
export class StopRequest {
  readonly #own = new AbortController();
  readonly #signal: AbortSignal;
  #failure: { readonly reason: unknown } | undefined;

  constructor(signal: AbortSignal | undefined) {
    this.#signal = signal === undefined ? this.#own.signal : AbortSignal.any([signal, this.#own.signal]);
  }

  requested(): boolean {
    return this.#signal.aborted;
  }

  stop(): void {
    this.#own.abort();
  }

  fail(reason: unknown): void {
    this.#failure ??= { reason };
    this.#own.abort();
  }

  /** @throws the first failure, if there was one */
  throwFailure(): void {
    if (this.#failure !== undefined) throw this.#failure.reason;
  }

  /**
   * Waits for the end of a run; a stop ends the run.
   * @throws the failure that stopped it, or L2M_SIMULATOR_FAULT: lanes in step would wait for ever for an episode that is an error
   */
  async finish(server: LiveServer, handle: RunHandle): Promise<void> {
    const watch = setInterval(() => {
      if (handle.summary().errorEpisodes > 0) {
        this.fail(new L2mError('L2M_SIMULATOR_FAULT', `an episode of ${handle.run} cannot be simulated`));
      }
    }, WATCH_EVERY_MS);
    const onStop = () => {
      const { state } = handle.summary();
      if (state === 'running' || state === 'starting') server.runs.stop(handle.run);
    };
    this.#signal.addEventListener('abort', onStop);
    if (this.requested()) onStop();
    try {
      const { state, message, errorEpisodes } = await handle.over;
      this.throwFailure();
      // A run whose episodes are errors has finished, too; learning cannot go on without them.
      if (this.requested() || (state === 'finished' && errorEpisodes === 0)) return;
      const got = message === '' ? `${handle.run} is ${state} with ${errorEpisodes} failed episodes` : message;
      throw new L2mError('L2M_SIMULATOR_FAULT', got, { hint: 'Go on with --resume.' });
    } finally {
      clearInterval(watch);
      this.#signal.removeEventListener('abort', onStop);
    }
  }
}
