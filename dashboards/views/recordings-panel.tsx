import { useEffect } from 'preact/hooks';
import { useSignal, type Signal } from '@preact/signals';
import { taskName } from '../../protocol/task.ts';
import { grouped, short } from '../format.ts';
import { fetchJson } from '../results/fetch-json.ts';
import type { Store } from '../store.ts';
import { dotOf } from '../task-color.ts';
import { OutcomeIcon } from './event-log.tsx';

/** What the list needs of `GET /api/runs/:run/recordings`. */
interface Listed {
  readonly episode: string;
  readonly task: string;
  readonly start: number;
  readonly attempt: number;
  readonly outcome: 'success' | 'failure' | 'scored';
  readonly length: number;
  readonly return: number;
  readonly pictures: number;
}

type Recordings =
  | { readonly kind: 'loading' }
  | { readonly kind: 'failed'; readonly reason: string }
  | { readonly kind: 'listed'; readonly total: number; readonly recordings: readonly Listed[] };

const PAGE = 40;
/** A list that changes with every episode cannot be clicked in. */
const REFRESH_MS = 4000;

/** Finished episodes of the shown run, newest first; a click plays one. */
export function RecordingsPanel({ store }: { readonly store: Store }) {
  const run = store.run.value?.run ?? (store.replay.value?.kind === 'stored' ? store.replay.value.run : undefined);
  const list = useSignal<Recordings>({ kind: 'loading' });
  const limit = useSignal(PAGE);
  const task = useSignal('');
  useEffect(() => {
    if (run === undefined) return undefined;
    return keepListed(store, list, { run, limit: limit.value, task: task.value });
  }, [store, run, limit.value, task.value]);
  if (run === undefined) return null;
  const tasks = store.run.value?.tasks ?? [];
  return (
    <section class="panel recordings-panel" aria-labelledby="recordings-title">
      <div class="recordings-heading">
        <h2 id="recordings-title">
          Recordings <span class="count">{list.value.kind === 'listed' ? grouped(list.value.total) : ''}</span>
        </h2>
        {tasks.length > 1 && (
          <select aria-label="Task" value={task.value} onChange={(event) => (task.value = event.currentTarget.value)}>
            <option value="">all tasks</option>
            {tasks.map((each) => (
              <option key={each.task} value={each.task}>
                {taskName(each.task)}
              </option>
            ))}
          </select>
        )}
        <OpenFile store={store} />
      </div>
      <RecordingList store={store} run={run} list={list.value} />
      {list.value.kind === 'listed' && list.value.total > list.value.recordings.length && (
        <button type="button" class="button" onClick={() => (limit.value = Math.min(1000, limit.value * 4))}>
          Show more
        </button>
      )}
    </section>
  );
}

function RecordingList({
  store,
  run,
  list,
}: {
  readonly store: Store;
  readonly run: string;
  readonly list: Recordings;
}) {
  if (list.kind === 'loading') return <p class="empty">Loading…</p>;
  if (list.kind === 'failed') return <p class="empty">No list of recordings: {list.reason}</p>;
  if (list.recordings.length === 0) return <p class="empty">Finished episodes can be replayed from here.</p>;
  const open = store.replay.value;
  return (
    <ul class="recordings" tabIndex={0} aria-labelledby="recordings-title">
      {list.recordings.map((each) => (
        <li key={each.episode} class="recording-row">
          <button
            type="button"
            class={`recording-item log-${each.outcome}`}
            data-episode={each.episode}
            aria-pressed={open?.kind === 'stored' && open.run === run && open.episode === each.episode}
            onClick={() =>
              (store.replay.value = {
                ...{ kind: 'stored', run, episode: each.episode },
                ...{ step: 0, camera: '', compare: '', ghost: false },
              })
            }
          >
            <OutcomeIcon outcome={each.outcome} />
            <span class="task-dot" style={dotOf(each.task)} aria-hidden="true" />
            <span class="recording-task">{taskName(each.task)}</span>
            <span class="faint">
              start {grouped(each.start)}
              {each.attempt > 1 && `, attempt ${each.attempt}`}
            </span>
            <span class="recording-facts faint" title={posesWords(each)}>
              {short(each.return)} · {each.pictures === 0 ? 'numbers' : each.pictures > each.length ? '3D' : '3D, some'}
            </span>
          </button>
          {open?.kind === 'stored' && `${open.run}/${open.episode}` !== `${run}/${each.episode}` && (
            <button
              type="button"
              class="compare-button"
              data-compare={each.episode}
              aria-pressed={open.compare === `${run}/${each.episode}`}
              aria-label={`vs ${taskName(each.task)}, start ${each.start}`}
              title="Show it beside the open recording"
              onClick={() => (store.replay.value = { ...open, compare: `${run}/${each.episode}` })}
            >
              vs
            </button>
          )}
        </li>
      ))}
    </ul>
  );
}

function posesWords({ pictures, length }: Listed): string {
  if (pictures === 0) return 'Return; no poses were recorded, only rewards, actions and choices';
  return pictures > length ? 'Return; poses of every step' : `Return; poses of ${pictures} of ${length + 1} steps`;
}

/** Also for those who cannot drop a file on the page. */
function OpenFile({ store }: { readonly store: Store }) {
  return (
    <label class="button file-button" title="Or drop a recording anywhere on this page">
      Open a file
      <input
        type="file"
        accept=".l2mrec"
        class="visually-hidden"
        onChange={(event) => {
          const file = event.currentTarget.files?.[0];
          if (file !== undefined) store.replay.value = { kind: 'file', file };
          event.currentTarget.value = '';
        }}
      />
    </label>
  );
}

function keepListed(
  store: Store,
  list: Signal<Recordings>,
  { run, limit, task }: { readonly run: string; readonly limit: number; readonly task: string },
): () => void {
  let gone = false;
  let listedAt = '';
  const load = async (): Promise<void> => {
    const newest = store.state.peek().log.at(-1)?.sequence ?? 0;
    const state = `${newest} ${store.run.peek()?.finishedEpisodes ?? 0}`;
    if (state === listedAt || (document.hidden && listedAt !== '')) return;
    listedAt = state;
    const query = new URLSearchParams({ limit: String(limit), ...(task === '' ? {} : { task }) });
    try {
      const reply = await fetchJson<{ total: number; recordings: Listed[] }>(
        `api/runs/${encodeURIComponent(run)}/recordings?${query.toString()}`,
      );
      if (!gone) list.value = { kind: 'listed', ...reply };
    } catch (error) {
      listedAt = '';
      if (!gone && list.peek().kind !== 'listed') {
        list.value = { kind: 'failed', reason: error instanceof Error ? error.message : 'unknown' };
      }
    }
  };
  list.value = { kind: 'loading' };
  void load();
  const timer = setInterval(() => void load(), REFRESH_MS);
  return () => {
    gone = true;
    clearInterval(timer);
  };
}
