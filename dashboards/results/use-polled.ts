import { useEffect } from 'preact/hooks';
import { useSignal } from '@preact/signals';
import { fetchJson } from './fetch-json.ts';

export type Polled<Reply> =
  | { readonly kind: 'loading' }
  | { readonly kind: 'failed'; readonly reason: string }
  | { readonly kind: 'ready'; readonly value: Reply };

/**
 * What the server answers to `path`, asked again every `everyMs` while the page is in view, and at once when the path or `version`
 * changes. What was known stays until something newer came.
 */
export function usePolled<Reply>(path: string, everyMs: number, version = ''): Polled<Reply> {
  const state = useSignal<Polled<Reply>>({ kind: 'loading' });
  useEffect(() => {
    let gone = false;
    let asking = false;
    const ask = async (): Promise<void> => {
      if (asking || document.hidden) return;
      asking = true;
      try {
        const value = await fetchJson<Reply>(path);
        if (!gone) state.value = { kind: 'ready', value };
      } catch (error) {
        const reason = error instanceof Error ? error.message : 'no answer';
        if (!gone && state.peek().kind !== 'ready') state.value = { kind: 'failed', reason };
      }
      asking = false;
    };
    void ask();
    const timer = setInterval(() => void ask(), everyMs);
    return () => {
      gone = true;
      clearInterval(timer);
    };
  }, [path, everyMs, version]);
  return state.value;
}
