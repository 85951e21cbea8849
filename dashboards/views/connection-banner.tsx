import { useEffect } from 'preact/hooks';
import { useSignal } from '@preact/signals';
import { keepToken } from '../session-token.ts';
import type { Store } from '../store.ts';
import { WarningIcon } from './icons.tsx';

/** Says in words that what is shown is old, and what is being done about it. */
export function ConnectionBanner({ store }: { readonly store: Store }) {
  const state = store.connection.value;
  switch (state.kind) {
    case 'open':
      return null;
    case 'connecting':
      return state.lost === null ? null : <Lost store={store} reason={state.lost} retryAt={0} />;
    case 'waiting':
      return <Lost store={store} reason={state.lost} retryAt={state.retryAt} />;
    case 'refused': {
      const { code, message, hint } = state.error;
      return (
        <div class="banner banner-error" role="alert">
          <WarningIcon />
          <span>
            {message} {hint}
          </span>
          {code === 'L2M_TOKEN_REFUSED' ? (
            <TokenForm />
          ) : (
            <button type="button" class="button" onClick={() => location.reload()}>
              Reload the page
            </button>
          )}
        </div>
      );
    }
  }
}

interface LostProps {
  readonly store: Store;
  readonly reason: string;
  /** Milliseconds of `Date.now`. */
  readonly retryAt: number;
}

function Lost({ store, reason, retryAt }: LostProps) {
  const seconds = useSignal(0);
  useEffect(() => {
    const count = (): void => {
      seconds.value = Math.max(0, Math.ceil((retryAt - Date.now()) / 1000));
    };
    count();
    const timer = setInterval(count, 250);
    return () => clearInterval(timer);
  }, [retryAt]);
  const known = store.seeded.value ? ' What you see is the last known state.' : '';
  // Below two seconds a countdown would only flicker.
  const when = seconds.value > 2 ? ` Trying again in ${seconds.value} s.` : ' Trying again…';
  return (
    <div class="banner">
      <WarningIcon />
      <span>
        Disconnected: {reason}.{known}
        {when}
      </span>
      <button type="button" class="button" onClick={() => store.retryNow()}>
        Try now
      </button>
    </div>
  );
}

function TokenForm() {
  return (
    <form
      class="token-form"
      onSubmit={(event) => {
        event.preventDefault();
        const field = event.currentTarget.elements.namedItem('token');
        if (field instanceof HTMLInputElement && field.value !== '') {
          keepToken(field.value);
          location.reload();
        }
      }}
    >
      <input name="token" type="password" autocomplete="off" placeholder="Token" aria-label="Token" />
      <button type="submit" class="button">
        Use it
      </button>
    </form>
  );
}
