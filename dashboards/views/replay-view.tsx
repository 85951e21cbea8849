import { useEffect, useRef } from 'preact/hooks';
import { useSignal, type Signal } from '@preact/signals';
import { taskName } from '../../protocol/task.ts';
import { addressOf, type ReplayRequest } from '../replay-address.ts';
import { Player } from '../replay/player.ts';
import { readEpisode, storedEpisode } from '../replay/recorded-episode.ts';
import type { Store } from '../store.ts';
import { dotOf } from '../task-color.ts';
import { ReplayCompanion } from './replay-companion.tsx';
import { ReplayControls } from './replay-controls.tsx';
import { ReplayPicture, type PictureHandle } from './replay-picture.tsx';

type ReplayState =
  | { readonly kind: 'loading' }
  | { readonly kind: 'failed'; readonly reason: string }
  | { readonly kind: 'ready'; readonly player: Player };

const ADDRESS_MS = 400;

declare global {
  /** The recording that is shown, for a look from the browser's console; documented in the room's README. */
  var l2mReplay: Player | undefined;
}

/** One recording with everything to move through it. What is live goes on below. */
export function ReplayView({ store, request }: { readonly store: Store; readonly request: ReplayRequest }) {
  const state = useSignal<ReplayState>({ kind: 'loading' });
  const picture = useRef<PictureHandle | null>(null);
  const overlay = useRef<Player | null>(null);
  const section = useRef<HTMLElement>(null);
  const close = (): void => void (store.replay.value = null);
  const identity = request.kind === 'file' ? request.file : `${request.run}/${request.episode}`;
  const rebuilt = useSignal(0);
  useEffect(() => open(request, state), [identity, rebuilt.value]);
  useEffect(() => {
    section.current?.scrollIntoView({ block: 'nearest' });
  }, [identity]);
  const player = state.value.kind === 'ready' ? state.value.player : null;
  useEffect(() => (player === null ? undefined : keepAddress(request, player, picture)), [player, request]);
  useEffect(() => () => history.replaceState(null, '', addressOf(location.href, null)), []);
  useEffect(() => (player === null ? undefined : listenToKeys(player, close)), [player]);
  const header = player?.episode.header;
  return (
    <section class="panel replay" aria-labelledby="replay-title" ref={section} data-replay={state.value.kind}>
      <div class="replay-heading">
        {header !== undefined && <span class="task-dot" style={dotOf(header.task)} aria-hidden="true" />}
        <h2 id="replay-title">{header === undefined ? 'Replay' : taskName(header.task)}</h2>
        {header !== undefined && (
          <p class="run-facts">
            replay · start {header.start} · {header.policy} · {header.protocol} · seed {header.seed} ·{' '}
            <code>{header.run}</code>
          </p>
        )}
        <button type="button" class="button replay-close" onClick={close}>
          Back to live
        </button>
      </div>
      {state.value.kind === 'loading' && <p class="empty">Loading the recording…</p>}
      {state.value.kind === 'failed' && (
        <p class="run-message run-message-failed" role="alert">
          {state.value.reason}
        </p>
      )}
      {player !== null && (
        <>
          <div class="replay-pictures">
            <ReplayPicture
              player={player}
              camera={request.kind === 'stored' ? request.camera : ''}
              handle={picture}
              overlay={overlay}
            />
            {request.kind === 'stored' && request.compare !== '' && (
              <ReplayCompanion
                leader={player}
                picture={picture}
                recording={request.compare}
                ghost={request.ghost}
                onGhost={(ghost) => (store.replay.value = { ...request, ghost })}
                overlay={overlay}
                onClose={() => (store.replay.value = { ...request, compare: '', ghost: false })}
              />
            )}
          </div>
          <ReplayControls
            player={player}
            picture={picture}
            stored={request.kind === 'stored' ? request : null}
            onRebuilt={store.operator.value ? () => rebuilt.value++ : null}
          />
        </>
      )}
    </section>
  );
}

function open(request: ReplayRequest, state: Signal<ReplayState>): () => void {
  let gone = false;
  let player: Player | null = null;
  state.value = { kind: 'loading' };
  const loading =
    request.kind === 'stored'
      ? storedEpisode(request.run, request.episode)
      : request.file.arrayBuffer().then((buffer) => readEpisode(new Uint8Array(buffer)));
  loading.then(
    (episode) => {
      if (gone) return;
      player = new Player(episode);
      if (request.kind === 'stored') player.seek(request.step);
      globalThis.l2mReplay = player;
      state.value = { kind: 'ready', player };
    },
    (error: unknown) => {
      if (!gone) state.value = { kind: 'failed', reason: error instanceof Error ? error.message : 'unknown error' };
    },
  );
  return () => {
    gone = true;
    player?.dispose();
    globalThis.l2mReplay = undefined;
  };
}

/** Twice a second at most: browsers refuse addresses that change faster. */
function keepAddress(
  request: ReplayRequest,
  player: Player,
  picture: { readonly current: PictureHandle | null },
): () => void {
  const timer = setInterval(() => {
    if (request.kind !== 'stored' || player.playing.peek()) return;
    const camera = picture.current?.tile()?.view() ?? request.camera;
    const address = addressOf(location.href, { ...request, step: player.step, camera });
    if (address !== location.href) history.replaceState(null, '', address);
  }, ADDRESS_MS);
  return () => clearInterval(timer);
}

/** Before the keys of the live page: while a recording is open, they are its. */
function listenToKeys(player: Player, close: () => void): () => void {
  const onKey = (event: KeyboardEvent): void => {
    const { target } = event;
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (target instanceof HTMLSelectElement || (target instanceof HTMLInputElement && target.type !== 'range')) return;
    if (event.key === ' ' && !(target instanceof HTMLButtonElement)) player.toggle();
    else if (event.key === ',') player.stepBy(-1);
    else if (event.key === '.') player.stepBy(1);
    else if (event.key === 'Escape' && document.querySelector('dialog[open]') === null) close();
    else return;
    event.preventDefault();
    event.stopImmediatePropagation();
  };
  addEventListener('keydown', onKey, { capture: true });
  return () => removeEventListener('keydown', onKey, { capture: true });
}
