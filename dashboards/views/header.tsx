import { useComputed } from '@preact/signals';
import { grouped, plural, short, siNumber } from '../format.ts';
import type { Store } from '../store.ts';
import { theme, toggleTheme } from '../theme.ts';
import { Mark, MoonIcon, SunIcon } from './icons.tsx';

export function Header({ store, onHelp }: { readonly store: Store; readonly onHelp: () => void }) {
  return (
    <header class="header">
      <div class="brand">
        <Mark />
        <span class="brand-name">l2m</span>
        <ModelChip store={store} />
      </div>
      <div class="header-figures">
        <LiveFigures store={store} />
        <ConnectionDot store={store} />
      </div>
      <div class="header-buttons">
        <button
          type="button"
          class="icon-button"
          onClick={toggleTheme}
          aria-label={theme.value === 'dark' ? 'Use the light theme' : 'Use the dark theme'}
          title="Light or dark (Shift+D)"
        >
          {theme.value === 'dark' ? <SunIcon /> : <MoonIcon />}
        </button>
        <button type="button" class="icon-button" onClick={onHelp} aria-label="Help and keyboard" title="Help (?)">
          ?
        </button>
      </div>
    </header>
  );
}

function ModelChip({ store }: { readonly store: Store }) {
  const model = store.model.value;
  if (model === null) return null;
  const pool = model.poolSize > 0 ? ` · ${model.poolSize} × ${model.modulation}` : '';
  return (
    <span class="model-chip" title={`${model.name}, version ${model.version}, on ${model.backend}`}>
      <strong>{model.name}</strong>
      <span class="wide-only">
        {' '}
        {siNumber(model.parameters)} parameters{pool} · {model.backend}
      </span>
    </span>
  );
}

/** Figures that move: read ten times a second, set in digits of one width. */
function LiveFigures({ store }: { readonly store: Store }) {
  const load = useComputed(() => store.atTick(() => store.state.peek().load));
  const { stepsPerSecond, totalMs, viewers } = load.value;
  if (!store.connected.value) return null;
  return (
    <dl class="figures wide-only">
      <div>
        <dt>steps/s</dt>
        <dd>{siNumber(stepsPerSecond)}</dd>
      </div>
      <div title="Simulation, transport and decision of one step, median of the last seconds">
        <dt>per step</dt>
        <dd>{totalMs > 0 ? `${short(totalMs)} ms` : '–'}</dd>
      </div>
      <div>
        <dt class="visually-hidden">Viewers</dt>
        <dd>{plural(viewers, 'viewer')}</dd>
      </div>
    </dl>
  );
}

function ConnectionDot({ store }: { readonly store: Store }) {
  const state = store.connection.value;
  const shown = state.kind === 'connecting' && state.lost !== null ? 'waiting' : state.kind;
  const words = { connecting: 'Connecting', open: 'Live', waiting: 'Offline', refused: 'Refused' }[shown];
  return (
    <>
      {shown === 'open' && <Pulse store={store} />}
      <span class={`connection connection-${shown}`} data-connection={shown}>
        <span class="connection-dot" aria-hidden="true" />
        {words}
      </span>
    </>
  );
}

/** How fresh what is shown is: also on a telephone. */
function Pulse({ store }: { readonly store: Store }) {
  const pulse = store.pulse.value;
  const fps = store.fps.value;
  return (
    <span
      class="pulse"
      title="Round trip to the server; pictures left out because this page was still busy; pictures drawn a second"
    >
      {pulse !== null && (
        <>
          <b data-figure="round-trip">{Math.round(pulse.roundTripMs)}</b> ms ·{' '}
          <b data-figure="dropped">{grouped(pulse.dropped)}</b> dropped ·{' '}
        </>
      )}
      <b data-figure="fps">{fps ?? '–'}</b> fps
    </span>
  );
}
