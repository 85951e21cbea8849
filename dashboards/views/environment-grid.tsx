import { useEffect, useRef } from 'preact/hooks';
import { useSignal, type Signal } from '@preact/signals';
import type { Stage } from '../scene/stage.ts';
import { fetchWithToken } from '../session-token.ts';
import { addressOfFocus } from '../replay-address.ts';
import type { Store } from '../store.ts';
import { theme } from '../theme.ts';
import { EnvironmentTile } from './environment-tile.tsx';

/** What draws the scenes: it is fetched when the first environment appears. */
export type StageState =
  | { readonly kind: 'none' }
  | { readonly kind: 'ready'; readonly stage: Stage }
  | { readonly kind: 'failed'; readonly reason: string };

/** The others cost nothing while they are not shown. */
const MOST_AT_FIRST = 12;

export function EnvironmentGrid({ store }: { readonly store: Store }) {
  const container = useRef<HTMLDivElement>(null);
  const stage = useSignal<StageState>({ kind: 'none' });
  const environments = [...store.environments.value.values()];
  const all = useSignal(false);
  const focused = store.focused.value;
  const shown = environments.filter(({ key }, index) => all.value || index < MOST_AT_FIRST || key === focused);
  const wanted = environments.length > 0;
  useEffect(() => {
    if (!wanted || container.current === null) return undefined;
    return startStage(store, container.current, stage);
  }, [store, wanted]);
  useEffect(() => {
    if (stage.value.kind === 'ready') stage.value.stage.setBackground();
  }, [theme.value, stage.value]);
  useEffect(() => history.replaceState(null, '', addressOfFocus(location.href, focused)), [focused]);
  const large = shown.length > 1 && shown.some(({ key }) => key === focused);
  return (
    <section class="environments" id="environments" tabIndex={-1} aria-labelledby="environments-title">
      <h2 id="environments-title">
        Environments <span class="count">{environments.length > 0 ? environments.length : ''}</span>
      </h2>
      {stage.value.kind === 'failed' && <p class="stage-failed">No 3D pictures: {stage.value.reason}.</p>}
      {wanted ? (
        <div class={`grid ${large ? 'grid-small grid-focus' : density(shown.length)}`} ref={container}>
          {shown.map((environment) => (
            <EnvironmentTile
              key={environment.key}
              store={store}
              environment={environment}
              large={shown.length > 1 ? environment.key === focused : null}
              stage={stage.value.kind === 'ready' ? stage.value.stage : null}
            />
          ))}
        </div>
      ) : (
        <p class="grid-empty">{store.seeded.value ? 'No environment is running.' : 'Loading…'}</p>
      )}
      {environments.length > MOST_AT_FIRST && (
        <button type="button" class="button grid-more" onClick={() => (all.value = !all.value)}>
          {all.value ? `Show the first ${MOST_AT_FIRST}` : `Show all ${environments.length} environments`}
        </button>
      )}
    </section>
  );
}

function startStage(store: Store, container: HTMLElement, state: Signal<StageState>): () => void {
  let made: Stage | null = null;
  let gone = false;
  const failed = (error: unknown): void => {
    state.value = { kind: 'failed', reason: error instanceof Error ? error.message : 'this browser has no WebGL2' };
  };
  import('../scene/stage.ts')
    .then(({ Stage }) => {
      if (gone) return;
      made = new Stage({ container, fetchScene: fetchWithToken, onFps: (fps) => (store.fps.value = fps) });
      state.value = { kind: 'ready', stage: made };
    })
    .catch(failed);
  return () => {
    gone = true;
    state.value = { kind: 'none' };
    made?.dispose();
  };
}

/** Few environments are shown large, many small. */
function density(count: number): string {
  if (count <= 2) return 'grid-few';
  if (count <= 4) return 'grid-large';
  return count <= 16 ? 'grid-medium' : 'grid-small';
}
