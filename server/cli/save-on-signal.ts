import type { ProgressLine } from './progress-line.ts';

/** Ctrl-C and SIGTERM ask a training to save and stop, and say so. `release` when it is over. */
export function saveOnSignal(progress: ProgressLine): { readonly signal: AbortSignal; release(): void } {
  const stop = new AbortController();
  const onSignal = (): void => {
    progress.note('saving; go on later with --resume');
    stop.abort();
  };
  process.on('SIGINT', onSignal);
  process.on('SIGTERM', onSignal);
  return {
    signal: stop.signal,
    release: () => {
      process.off('SIGINT', onSignal);
      process.off('SIGTERM', onSignal);
    },
  };
}
