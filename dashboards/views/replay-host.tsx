import type { JSX } from 'preact';
import { useEffect } from 'preact/hooks';
import { useSignal } from '@preact/signals';
import type { ReplayRequest } from '../replay-address.ts';
import type { Store } from '../store.ts';

interface ReplayModule {
  readonly ReplayView: (props: { readonly store: Store; readonly request: ReplayRequest }) => JSX.Element;
}

/** The player is fetched when the first recording is opened. Takes recordings that are dropped anywhere on the page. */
export function ReplayHost({ store }: { readonly store: Store }) {
  const view = useSignal<ReplayModule | null>(null);
  const failed = useSignal(false);
  const wanted = store.replay.value !== null;
  useEffect(() => {
    if (!wanted || view.peek() !== null) return;
    import('./replay-view.tsx').then(
      (module) => (view.value = module),
      () => (failed.value = true),
    );
  }, [wanted]);
  useEffect(() => {
    const controller = new AbortController();
    const { signal } = controller;
    addEventListener('dragover', (event) => event.preventDefault(), { signal });
    addEventListener(
      'drop',
      (event) => {
        event.preventDefault();
        const file = event.dataTransfer?.files[0];
        if (file !== undefined) store.replay.value = { kind: 'file', file };
      },
      { signal },
    );
    return () => controller.abort();
  }, [store]);
  const request = store.replay.value;
  if (request === null) return null;
  if (view.value === null) {
    return <p class="panel empty">{failed.value ? 'The player cannot be loaded; reload the page.' : 'Loading…'}</p>;
  }
  const { ReplayView } = view.value;
  return <ReplayView store={store} request={request} />;
}
