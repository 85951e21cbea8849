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
      return state.attempt === 0 ? null : <Banner text="Connecting again…" />;
    case 'waiting':
      return <Waiting store={store} retryAt={state.retryAt} reason={state.reason} />;
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

interface WaitingProps {
  readonly store: Store;
  readonly retryAt: number;
  readonly reason: string;
}

function Waiting({ store, retryAt, reason }: WaitingProps) {
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
  const when = seconds.value > 0 ? ` Trying again in ${seconds.value} s.` : ' Trying again…';
  return (
    <Banner text={`Disconnected: ${reason}.${known}${when}`}>
      <button type="button" class="button" onClick={() => store.retryNow()}>
        Try now
      </button>
    </Banner>
  );
}

function Banner({ text, children }: { readonly text: string; readonly children?: preact.ComponentChildren }) {
  return (
    <div class="banner">
      <WarningIcon />
      <span>{text}</span>
      {children}
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
