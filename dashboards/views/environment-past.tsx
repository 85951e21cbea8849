import { useComputed } from '@preact/signals';
import { grouped } from '../format.ts';
import type { LivePast } from '../replay/live-past.ts';
import type { Store } from '../store.ts';

const stop = (event: Event): void => event.stopPropagation();

/** One picture back, one forward, back to live: for a tile that holds the focus. */
export function lookByKey(past: LivePast | undefined, event: KeyboardEvent): void {
  if (past === undefined || event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.key === ',') past.lookBy(-1);
  else if (event.key === '.') past.lookBy(1);
  else if (event.key === 'Escape' && past.looking.peek() !== null) past.live();
  else return;
  event.preventDefault();
  stop(event);
}

/** Looks back at what an environment just did while it goes on; shown when the tile is pointed at, or holds the focus. */
export function EnvironmentPast({ store, environment }: { readonly store: Store; readonly environment: string }) {
  const past = useComputed(() => store.atTick(() => store.live.environments.get(environment)?.past ?? null)).value;
  if (past === null) return null;
  return <PastBar store={store} past={past} />;
}

function PastBar({ store, past }: { readonly store: Store; readonly past: LivePast }) {
  // One text for all that changes: the bar is drawn again only if it looks different.
  const range = useComputed(() => store.atTick(() => `${past.first} ${past.last}`)).value;
  const [first = 0, last = 0] = range.split(' ').map(Number);
  if (last <= first) return null;
  const number = past.looking.value;
  const picture = past.newest;
  return (
    <div class={`past ${number === null ? '' : 'past-shown'}`} onPointerDown={stop} onPointerMove={stop}>
      <input
        type="range"
        min={first}
        max={last}
        step={1}
        value={number ?? last}
        aria-label="Look back"
        aria-valuetext={picture === null ? 'live' : `step ${picture.step}`}
        onInput={(event) => {
          const wanted = Number(event.currentTarget.value);
          past.look(wanted === last ? last + 1 : wanted);
        }}
      />
      {picture === null ? (
        <span class="past-live">live</span>
      ) : (
        <button type="button" class="past-return" title="Back to live (Esc)" onClick={() => past.live()}>
          step <b data-figure="past-step">{grouped(picture.step)}</b> · Live
        </button>
      )}
    </div>
  );
}
