import { useEffect } from 'preact/hooks';
import { effect, useSignal } from '@preact/signals';
import { taskName } from '../../protocol/task.ts';
import { short } from '../format.ts';
import { Player } from '../replay/player.ts';
import { storedEpisode } from '../replay/recorded-episode.ts';
import { OutcomeIcon } from './event-log.tsx';
import { ReplayPicture } from './replay-picture.tsx';

type CompanionState =
  | { readonly kind: 'loading' }
  | { readonly kind: 'failed'; readonly reason: string }
  | { readonly kind: 'ready'; readonly player: Player };

interface CompanionProps {
  /** The recording that is compared with; its position leads. */
  readonly leader: Player;
  /** `RUN/EPISODE` */
  readonly recording: string;
  readonly onClose: () => void;
}

/** A second recording beside the open one, at the same step; the shorter one waits at its end. */
export function ReplayCompanion({ leader, recording, onClose }: CompanionProps) {
  const state = useSignal<CompanionState>({ kind: 'loading' });
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
  return (
    <div class="replay-companion" data-companion={state.value.kind}>
      {state.value.kind === 'loading' && <p class="empty">Loading the recording…</p>}
      {state.value.kind === 'failed' && <p class="run-message run-message-failed">{state.value.reason}</p>}
      {state.value.kind === 'ready' && <ReplayPicture player={state.value.player} camera="" />}
      <div class="companion-facts">
        {state.value.kind === 'ready' && <Facts player={state.value.player} />}
        <button type="button" class="button" onClick={onClose}>
          Stop comparing
        </button>
      </div>
    </div>
  );
}

function Facts({ player }: { readonly player: Player }) {
  const { header, returns } = player.episode;
  return (
    <span class={`companion-name log-${header.outcome}`}>
      <OutcomeIcon outcome={header.outcome} /> {taskName(header.task)}{' '}
      <span class="faint">
        start {header.start} · {header.policy} · return
      </span>{' '}
      <b data-figure="companion-return">{short(returns[player.step] ?? 0)}</b>
    </span>
  );
}
