import { useEffect } from 'preact/hooks';
import { useSignal } from '@preact/signals';
import type { RunSummary } from '../../protocol/dashboard-views.ts';
import { isActive } from '../state.ts';
import type { Store } from '../store.ts';
import { PauseIcon, PlayIcon, StopIcon } from './icons.tsx';

/** A second press within this time confirms. */
const CONFIRM_MS = 4000;

export function RunControls({ store, run }: { readonly store: Store; readonly run: RunSummary }) {
  const confirming = useSignal(false);
  useEffect(() => {
    if (!confirming.value) return undefined;
    const timer = setTimeout(() => (confirming.value = false), CONFIRM_MS);
    return () => clearTimeout(timer);
  }, [confirming.value]);
  if (!isActive(run)) return null;
  const disabled = !store.operator.value || !store.connected.value;
  const title = store.operator.value ? undefined : 'Needs the operator token';
  const paused = run.state === 'paused';
  const send = (action: 'pause' | 'resume' | 'stop'): void => store.send({ type: 'control', run: run.run, action });
  return (
    <div class="run-controls">
      <button
        type="button"
        class="button"
        disabled={disabled || run.state === 'draining'}
        title={title ?? 'Space'}
        onClick={() => send(paused ? 'resume' : 'pause')}
      >
        {paused ? <PlayIcon /> : <PauseIcon />}
        {paused ? 'Resume' : 'Pause'}
      </button>
      <button
        type="button"
        class={confirming.value ? 'button button-danger' : 'button'}
        disabled={disabled || run.state === 'draining'}
        title={title}
        onClick={() => {
          if (confirming.value) send('stop');
          confirming.value = !confirming.value;
        }}
      >
        <StopIcon />
        {confirming.value ? 'Really stop?' : 'Stop'}
      </button>
    </div>
  );
}
