import { useSignal } from '@preact/signals';
import type { FunctionComponent } from 'preact';
import type { Store } from '../store.ts';

type Views = FunctionComponent<{ readonly store: Store }>;
type Loading =
  | { readonly kind: 'closed' | 'loading' }
  | { readonly kind: 'open'; readonly Views: Views }
  | { readonly kind: 'failed' };

/** What the policy thinks, closed at first: it is loaded, and the server asked, only when somebody wants to see it. */
export function PolicyPanel({ store }: { readonly store: Store }) {
  const state = useSignal<Loading>({ kind: 'closed' });
  const current = state.value;
  const toggle = (): void => {
    if (current.kind !== 'closed' && current.kind !== 'failed') {
      state.value = { kind: 'closed' };
      return;
    }
    state.value = { kind: 'loading' };
    import('../policy/policy-views.tsx').then(
      ({ PolicyViews }) => {
        if (state.value.kind === 'loading') state.value = { kind: 'open', Views: PolicyViews };
      },
      () => (state.value = { kind: 'failed' }),
    );
  };
  return (
    <section class="panel policy" aria-labelledby="policy-title">
      <div class="choices">
        <h2 id="policy-title">Policy</h2>
        <button type="button" class="button" aria-expanded={current.kind === 'open'} onClick={toggle}>
          {current.kind === 'closed' || current.kind === 'failed' ? 'Show what the policy thinks' : 'Hide'}
        </button>
      </div>
      {current.kind === 'loading' && <p class="empty">Loading…</p>}
      {current.kind === 'failed' && <p class="empty">The views could not be loaded: is the server there?</p>}
      {current.kind === 'open' && <current.Views store={store} />}
    </section>
  );
}
