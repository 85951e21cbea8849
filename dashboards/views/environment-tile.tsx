import { useEffect, useRef } from 'preact/hooks';
import { useComputed, useSignal } from '@preact/signals';
import type { EpisodeEnded } from '../../protocol/dashboard-messages.ts';
import type { EnvironmentView } from '../../protocol/dashboard-views.ts';
import { taskName } from '../../protocol/task.ts';
import { useDrag } from '../control/use-drag.ts';
import { grouped, short } from '../format.ts';
import type { LiveNumbers } from '../live-frames.ts';
import type { Stage } from '../scene/stage.ts';
import type { Tile, TileStatus } from '../scene/tile.ts';
import type { Store } from '../store.ts';
import { dotOf } from '../task-color.ts';
import { ControlBadge } from './control-badge.tsx';
import { EnvironmentPast, lookByKey } from './environment-past.tsx';
import { OutcomeIcon } from './event-log.tsx';
import { CheckIcon } from './icons.tsx';
import { Sparkline } from './sparkline.tsx';
import { useTileControls } from './tile-controls.ts';
import { ViewMenu } from './view-menu.tsx';

interface TileProps {
  readonly store: Store;
  readonly environment: EnvironmentView;
  readonly stage: Stage | null;
  /** Whether it is the one that all others make room for; null if there are no others. */
  readonly large: boolean | null;
}

export function EnvironmentTile({ store, environment, stage, large }: TileProps) {
  const tile = useRef<Tile | null>(null);
  const outcome = store.outcomes.value.get(environment.key);
  const numbers = useComputed(() => store.atTick(() => store.live.environments.get(environment.key)?.numbers ?? null));
  const current = numbers.value?.episode === environment.episode ? numbers.value : null;
  return (
    <article
      class={`tile tile-${outcome?.outcome ?? 'running'} ${large === true ? 'tile-large' : ''}`}
      data-key={environment.key}
      data-task={environment.task}
    >
      <div
        class="tile-picture"
        onKeyDown={(event) => lookByKey(store.live.environments.get(environment.key)?.past, event)}
      >
        <Viewport store={store} environment={environment} stage={stage} numbers={current} tile={tile} />
        <ViewMenu tile={tile} contacts={store.contacts} />
        <EnvironmentPast store={store} environment={environment.key} />
      </div>
      <div class="tile-foot">
        <div class="tile-title">
          <span class="task-dot" style={dotOf(environment.task)} aria-hidden="true" />
          <h3>{taskName(environment.task)}</h3>
          <ControlBadge store={store} environment={environment.key} />
          <Mark outcome={outcome} success={current?.success === true} />
          {large !== null && (
            <button
              type="button"
              class="tile-focus"
              aria-label={`${large ? 'Small again' : 'Large'}: ${taskName(environment.task)} ${environment.key}`}
              title={large ? 'Back to all (Esc)' : 'Show it large (click the picture)'}
              onClick={() => (store.focused.value = large ? null : environment.key)}
            >
              {large ? '⤡' : '⤢'}
            </button>
          )}
        </div>
        <div class="tile-curves">
          <Sparkline store={store} environment={environment} />
          <dl class="tile-numbers">
            <div title="Sum of rewards so far">
              <dt class="key-return">return</dt>
              <dd data-figure="return">{short(current?.return ?? 0)}</dd>
            </div>
            <div title="Last reward">
              <dt class="key-reward">reward</dt>
              <dd data-figure="reward">{short(current?.reward ?? 0)}</dd>
            </div>
          </dl>
        </div>
        <div class="tile-progress" aria-hidden="true">
          <div style={{ width: `${Math.min(1, (current?.step ?? 0) / environment.horizon) * 100}%` }} />
        </div>
      </div>
    </article>
  );
}

function Mark({ outcome, success }: { readonly outcome: EpisodeEnded | undefined; readonly success: boolean }) {
  if (outcome !== undefined) {
    const words = { success: 'success', failure: 'no success', scored: 'finished', error: 'error' }[outcome.outcome];
    return (
      <span class={`mark-text mark-${outcome.outcome}`}>
        <OutcomeIcon outcome={outcome.outcome} />
        {words}
      </span>
    );
  }
  if (!success) return null;
  return (
    <span class="mark-text mark-success">
      <CheckIcon />
      success
    </span>
  );
}

interface ViewportProps extends Omit<TileProps, 'large'> {
  readonly numbers: LiveNumbers | null;
  readonly tile: { current: Tile | null };
}

function Viewport({ store, environment, stage, numbers, tile }: ViewportProps) {
  const element = useRef<HTMLDivElement>(null);
  const status = useSignal<TileStatus>({ kind: 'loading' });
  const { key, scene, task } = environment;
  useEffect(() => {
    if (stage === null || element.current === null || scene === '') return undefined;
    const added = stage.addTile(element.current, {
      task,
      scene,
      track: () => {
        const live = store.live.environments.get(key);
        return live?.past.newest === null ? live.poses : live?.past;
      },
      contacts: () => {
        const live = store.live.environments.get(key);
        return store.contacts.peek() && live?.past.newest === null ? live.contacts : null;
      },
      onStatus: (next) => (status.value = next),
    });
    tile.current = added;
    return () => {
      tile.current = null;
      added.remove();
    };
  }, [stage, key, scene, task]);
  const hovered = useSignal('');
  useTileControls(element, tile, {
    onHover: (name) => (hovered.value = name),
    onPick: () => (store.focused.value = key),
  });
  const pool = numbers !== null && numbers.selection >= 0 ? `key ${numbers.selection}` : '';
  useDrag(element, tile, { store, key });
  return (
    <div class="viewport" ref={element} tabIndex={0} role="img" aria-label={description(environment, numbers)}>
      <ViewportNote status={status.value} waiting={scene === ''} drawable={stage !== null} />
      <span class="step-chip" title="Step and horizon">
        <b data-figure="step">{grouped(numbers?.step ?? 0)}</b>
        <span class="faint"> / {grouped(environment.horizon)}</span>
      </span>
      {hovered.value !== '' && <span class="hover-name">{hovered.value}</span>}
      {pool !== '' && (
        <span class="pool-key" title="Chosen modulator and its similarity to the query">
          {pool}
          <span class="faint"> {(numbers?.similarity ?? 0).toFixed(2)}</span>
        </span>
      )}
    </div>
  );
}

interface NoteProps {
  readonly status: TileStatus;
  readonly waiting: boolean;
  readonly drawable: boolean;
}

function ViewportNote({ status, waiting, drawable }: NoteProps) {
  if (!drawable) return null;
  if (waiting) return <span class="viewport-note">Waiting for the geometry…</span>;
  switch (status.kind) {
    case 'loading':
      return <span class="viewport-note">Loading the scene…</span>;
    case 'failed':
      return <span class="viewport-note viewport-failed">No scene: {status.reason}</span>;
    case 'ready':
      return null;
  }
}

/** What the picture shows, for those who cannot see it. */
function description({ task, horizon }: EnvironmentView, numbers: LiveNumbers | null): string {
  if (numbers === null) return `${taskName(task)}, starting`;
  const success = numbers.success ? ', success' : '';
  return `${taskName(task)}, step ${numbers.step} of ${horizon}, return ${short(numbers.return)}${success}`;
}
