import { useEffect } from 'preact/hooks';
import { useSignal } from '@preact/signals';
import { taskName } from '../../protocol/task.ts';
import type { ConnectionState } from '../connection.ts';
import type { LogEvent } from '../state.ts';
import type { Store } from '../store.ts';

/** Screen readers are told of at most one thing in this time. */
const PAUSE_MS = 3000;

/** Speaks what others see: the connection, warnings, and how episodes end. */
export function Announcer({ store }: { readonly store: Store }) {
  const spoken = useSignal('');
  useEffect(() => {
    let lastAt = 0;
    const say = (text: string, urgent: boolean): void => {
      const now = performance.now();
      if (!urgent && now - lastAt < PAUSE_MS) return;
      lastAt = now;
      spoken.value = text;
    };
    const stopConnection = store.connection.subscribe((state) => say(connectionWords(state), true));
    const stopLog = store.log.subscribe((log) => {
      const newest = log.at(-1);
      if (newest !== undefined) say(logWords(newest), newest.type === 'notice' && newest.level === 'error');
    });
    return () => {
      stopConnection();
      stopLog();
    };
  }, [store]);
  return (
    <div class="visually-hidden" role="status" aria-live="polite">
      {spoken.value}
    </div>
  );
}

function connectionWords(state: ConnectionState): string {
  switch (state.kind) {
    case 'open':
      return 'Connected.';
    case 'connecting':
      return '';
    case 'waiting':
      return `Disconnected: ${state.lost}. Trying again.`;
    case 'refused':
      return state.error.message;
  }
}

function logWords(event: LogEvent): string {
  if (event.type === 'notice') return event.text;
  return `${taskName(event.task)}: ${event.outcome} after ${event.length} steps.`;
}
