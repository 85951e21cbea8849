import { useEffect } from 'preact/hooks';
import { useSignal } from '@preact/signals';
import { grouped, plural, wholePercent } from '../format.ts';
import { runsPath, withLive, type RunRow, type RunSort, type RunsQuery } from '../results/run-rows.ts';
import { usePolled, type Polled } from '../results/use-polled.ts';
import type { Store } from '../store.ts';
import { wilsonInterval } from '../wilson.ts';
import { IntervalBar } from './rate.tsx';
import { StatePill } from './run-panel.tsx';

const REFRESH_MS = 4000;
const PAGE = 20;
const KINDS = ['evaluate', 'collect', 'pretrain'];
const STATES = ['running', 'paused', 'finished', 'stopped', 'failed'];
const COLUMNS: readonly (readonly [RunSort, string])[] = [
  ['policy', 'Run'],
  ['state', 'State'],
  ['episodes', 'Episodes'],
  ['successAnyTime', 'Success, any time'],
  ['successAtEnd', 'Success, at the end'],
  ['started', 'Started'],
];

interface RunsTableProps {
  readonly store: Store;
  readonly chosen: readonly string[];
  readonly onChoose: (runs: readonly string[]) => void;
  readonly onShow: (run: RunRow) => void;
  readonly onListed: (rows: readonly RunRow[]) => void;
}

export function RunsTable({ store, chosen, onChoose, onShow, onListed }: RunsTableProps) {
  const query = useSignal<RunsQuery>({
    ...{ text: '', kind: '', state: '', sort: 'started', ascending: false, limit: PAGE },
  });
  const change = (part: Partial<RunsQuery>): void => {
    query.value = { ...query.value, ...part };
  };
  // A run that begins or ends is asked for at once; its numbers come live.
  const states = store.runs.value.map(({ run, state }) => run + state).join();
  const polled = usePolled<{ total: number; runs: RunRow[] }>(runsPath(query.value), REFRESH_MS, states);
  useEffect(() => {
    if (polled.kind === 'ready') onListed(polled.value.runs);
  }, [polled]);
  return (
    <section class="panel table-panel" id="runs" aria-labelledby="runs-title">
      <div class="runs-heading">
        <h2 id="runs-title">
          Runs <span class="count">{polled.kind === 'ready' ? grouped(polled.value.total) : ''}</span>
        </h2>
        <input
          type="search"
          class="runs-filter"
          placeholder="Filter by name, policy, task…"
          aria-label="Filter runs"
          value={query.value.text}
          onInput={(event) => change({ text: event.currentTarget.value, limit: PAGE })}
        />
        <Choice label="Kind" all="all kinds" values={KINDS} onChange={(kind) => change({ kind })} />
        <Choice label="State" all="all states" values={STATES} onChange={(state) => change({ state })} />
        <a class="runs-api" href="docs/" target="_blank" rel="noreferrer">
          API
        </a>
      </div>
      <RunsBody
        {...{ store, polled, query: query.value, change, chosen, onChoose, onShow }}
        filtered={query.value.text !== '' || query.value.kind !== '' || query.value.state !== ''}
      />
      {polled.kind === 'ready' && polled.value.total > polled.value.runs.length && (
        <button type="button" class="button runs-more" onClick={() => change({ limit: query.value.limit * 4 })}>
          Show more of {plural(polled.value.total, 'run')}
        </button>
      )}
    </section>
  );
}

interface ChoiceProps {
  readonly label: string;
  readonly all: string;
  readonly values: readonly string[];
  readonly onChange: (value: string) => void;
}

function Choice({ label, all, values, onChange }: ChoiceProps) {
  return (
    <select aria-label={label} onChange={(event) => onChange(event.currentTarget.value)}>
      <option value="">{all}</option>
      {values.map((value) => (
        <option key={value}>{value}</option>
      ))}
    </select>
  );
}

interface RunsBodyProps extends Omit<RunsTableProps, 'onListed'> {
  readonly polled: Polled<{ runs: readonly RunRow[] }>;
  readonly query: RunsQuery;
  readonly change: (part: Partial<RunsQuery>) => void;
  readonly filtered: boolean;
}

function RunsBody({ store, polled, query, change, chosen, onChoose, onShow, filtered }: RunsBodyProps) {
  if (polled.kind === 'loading') return <p class="empty runs-note">Loading…</p>;
  if (polled.kind === 'failed') return <p class="empty runs-note bad">No list of runs: {polled.reason}</p>;
  const rows = withLive(polled.value.runs, store.runs.value);
  if (rows.length === 0) {
    return (
      <p class="empty runs-note">{filtered ? 'No run fits this filter.' : 'Every run is kept and listed here.'}</p>
    );
  }
  const shown = store.run.value?.run;
  return (
    <div class="table-scroll" tabIndex={0} role="region" aria-labelledby="runs-title">
      <table class="scores runs-table">
        <thead>
          <tr>
            <th scope="col">
              <span class="visually-hidden">Compare</span>
            </th>
            {COLUMNS.map(([sort, words]) => (
              <SortHeader key={sort} {...{ sort, words, query, change }} />
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map((row) => (
            <tr key={row.run} data-run-row={row.run} aria-current={row.run === shown ? 'true' : undefined}>
              <td>
                <input
                  type="checkbox"
                  aria-label={`Compare ${row.policy} ${row.run}`}
                  checked={chosen.includes(row.run)}
                  onChange={(event) => {
                    const others = chosen.filter((run) => run !== row.run);
                    onChoose(event.currentTarget.checked ? [...others, row.run] : others);
                  }}
                />
              </td>
              <th scope="row">
                <button type="button" class="run-link" onClick={() => onShow(row)}>
                  {row.policy}
                </button>
                <span class="run-name">
                  {row.run} · {row.protocol ?? row.kind} · seed {row.seed}
                </span>
              </th>
              <td title={row.message}>
                <StatePill state={row.state} />
              </td>
              <td class="number">
                {grouped(row.finishedEpisodes)}
                <span class="faint">/{grouped(row.plannedEpisodes)}</span>
                {row.errorEpisodes > 0 && <span class="bad"> {plural(row.errorEpisodes, 'error')}</span>}
              </td>
              <ShareCell successes={row.successesAnyTime} episodes={row.judgedEpisodes} label="Any time" />
              <ShareCell successes={row.successesAtEnd} episodes={row.judgedEpisodes} label="At the end" />
              <td class="faint">
                <time dateTime={row.startedAt}>{startWords(row.startedAt)}</time>
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

interface SortHeaderProps {
  readonly sort: RunSort;
  readonly words: string;
  readonly query: RunsQuery;
  readonly change: (part: Partial<RunsQuery>) => void;
}

function SortHeader({ sort, words, query, change }: SortHeaderProps) {
  const active = query.sort === sort;
  const direction = query.ascending ? 'ascending' : 'descending';
  return (
    <th scope="col" aria-sort={active ? direction : 'none'}>
      <button
        type="button"
        class="sort-button"
        onClick={() => change({ sort, ascending: active ? !query.ascending : sort === 'policy' })}
      >
        {words} <span aria-hidden="true">{active ? (query.ascending ? '↑' : '↓') : ''}</span>
      </button>
    </th>
  );
}

function ShareCell(props: { readonly successes: number; readonly episodes: number; readonly label: string }) {
  const { successes, episodes, label } = props;
  if (episodes === 0) return <td class="faint">–</td>;
  const rate = { successes, episodes, rate: successes / episodes, interval: wilsonInterval(successes, episodes) };
  return (
    <td class="share-cell">
      {wholePercent(rate.rate)} <span class="faint">{`${grouped(successes)}/${grouped(episodes)}`}</span>
      <IntervalBar rate={rate} label={label} />
    </td>
  );
}

/** `24 Nov, 01:53` in the reader's own time. */
function startWords(startedAt: string): string {
  return new Date(startedAt).toLocaleString(undefined, {
    ...{ day: 'numeric', month: 'short', hour: '2-digit', minute: '2-digit', hour12: false },
  } as const);
}
