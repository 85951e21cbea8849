import type { RefObject } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import { effect, useSignal } from '@preact/signals';
import { taskName } from '../../protocol/task.ts';
import { short } from '../format.ts';
import { coupleViews } from '../replay/coupled-views.ts';
import { Player } from '../replay/player.ts';
import { storedEpisode } from '../replay/recorded-episode.ts';
import { OutcomeIcon } from './event-log.tsx';
import { ReplayPicture, type PictureHandle } from './replay-picture.tsx';

type CompanionState =
  | { readonly kind: 'loading' }
  | { readonly kind: 'failed'; readonly reason: string }
  | { readonly kind: 'ready'; readonly player: Player };

interface CompanionProps {
  /** The recording that is compared with; its position leads. */
  readonly leader: Player;
  /** The leader's; seen from the same place as this one where both show one task. */
  readonly picture: RefObject<PictureHandle | null>;
  /** `RUN/EPISODE` */
  readonly recording: string;
  /** Whether it is drawn into the leader's picture, and how to change that. */
  readonly ghost: boolean;
  readonly onGhost: (ghost: boolean) => void;
  /** What the leader's picture draws on top of itself. */
  readonly overlay: { current: Player | null };
  readonly onClose: () => void;
}

/** A second recording beside the open one or in it, at the same step; the shorter one waits at its end. */
export function ReplayCompanion({ leader, picture, recording, ghost, onGhost, overlay, onClose }: CompanionProps) {
  const state = useSignal<CompanionState>({ kind: 'loading' });
  const own = useRef<PictureHandle | null>(null);
  useEffect(() => {
    let gone = false;
    let stop = (): void => undefined;
    const [run = '', episode = ''] = recording.split('/', 2);
    state.value = { kind: 'loading' };
    storedEpisode(run, episode).then(
      (loaded) => {
        if (gone) return;
        const player = new Player(loaded);
        stop = effect(() => player.follow(leader.position.value));
        state.value = { kind: 'ready', player };
      },
      (error: unknown) => {
        if (!gone) state.value = { kind: 'failed', reason: error instanceof Error ? error.message : 'unknown error' };
      },
    );
    return () => {
      gone = true;
      stop();
    };
  }, [leader, recording]);
  const player = state.value.kind === 'ready' ? state.value.player : null;
  const alike = player !== null && areAlike(leader, player);
  const inside = ghost && alike;
  const beside = player !== null && !inside && player.episode.header.task === leader.episode.header.task;
  useEffect(() => {
    if (!beside) return undefined;
    return coupleViews(
      () => picture.current?.tile() ?? null,
      () => own.current?.tile() ?? null,
    );
  }, [beside, player]);
  useEffect(() => {
    overlay.current = inside ? player : null;
    return () => void (overlay.current = null);
  }, [inside, player]);
  return (
    <div class={`replay-companion ${inside ? 'replay-ghost' : ''}`} data-companion={state.value.kind}>
      {state.value.kind === 'loading' && <p class="empty">Loading the recording…</p>}
      {state.value.kind === 'failed' && <p class="run-message run-message-failed">{state.value.reason}</p>}
      {player !== null && !inside && <ReplayPicture player={player} camera="" handle={own} />}
      <div class="companion-facts">
        {player !== null && <Facts player={player} ghost={inside} />}
        {alike && (
          <button
            type="button"
            class="button"
            aria-pressed={ghost}
            title="Draw it into the picture of the first; what is in the same place is not drawn twice"
            onClick={() => onGhost(!ghost)}
          >
            Ghost
          </button>
        )}
        <button type="button" class="button" onClick={onClose}>
          Stop comparing
        </button>
      </div>
    </div>
  );
}

/** Poses of one can only be shown in the scene of the other if it is the same scene. */
function areAlike(one: Player, other: Player): boolean {
  const [a, b] = [one.episode.header, other.episode.header];
  return a.task === b.task && a.pictures > 0 && b.pictures > 0 && a.poseRows === b.poseRows;
}

function Facts({ player, ghost }: { readonly player: Player; readonly ghost: boolean }) {
  const { header, returns } = player.episode;
  return (
    <span class={`companion-name log-${header.outcome}`}>
      {ghost && <span class="ghost-swatch" aria-hidden="true" />}
      <OutcomeIcon outcome={header.outcome} /> {taskName(header.task)}{' '}
      <span class="faint">
        start {header.start} · {header.policy} · return
      </span>{' '}
      <b data-figure="companion-return">{short(returns[player.step] ?? 0)}</b>
    </span>
  );
}
