import type { RunState, RunSummary } from '../../protocol/dashboard-views.ts';

/** What the table needs of a run in `GET /api/runs`. */
export interface RunRow {
  readonly run: string;
  readonly kind: string;
  readonly state: RunState;
  readonly policy: string;
  readonly protocol: string | null;
  readonly seed: number;
  readonly plannedEpisodes: number;
  readonly finishedEpisodes: number;
  readonly errorEpisodes: number;
  readonly judgedEpisodes: number;
  readonly successesAnyTime: number;
  readonly successesAtEnd: number;
  readonly message: string;
  readonly startedAt: string;
}

export type RunSort = 'started' | 'policy' | 'state' | 'episodes' | 'successAnyTime' | 'successAtEnd';

export interface RunsQuery {
  readonly text: string;
  /** Empty for all. */
  readonly kind: string;
  readonly state: string;
  readonly sort: RunSort;
  readonly ascending: boolean;
  readonly limit: number;
}

export function runsPath({ text, kind, state, sort, ascending, limit }: RunsQuery): string {
  const filter = Object.entries({ text: text.trim(), kind, state }).filter(([, value]) => value !== '');
  const order = ascending ? 'ascending' : 'descending';
  return `api/runs?${new URLSearchParams([...filter, ['sort', sort], ['order', order], ['limit', String(limit)]]).toString()}`;
}

/** What the page hears live is newer than what was asked for a moment ago. */
export function withLive(rows: readonly RunRow[], live: readonly RunSummary[]): RunRow[] {
  return rows.map((row) => {
    const summary = live.find(({ run }) => run === row.run);
    if (summary === undefined) return row;
    const { state, finishedEpisodes, errorEpisodes, message, tasks } = summary;
    const fresh = { ...row, state, finishedEpisodes, errorEpisodes, message };
    if (tasks.length === 0) return fresh;
    let [judgedEpisodes, successesAnyTime, successesAtEnd] = [0, 0, 0];
    for (const task of tasks) {
      judgedEpisodes += task.successAnyTime.episodes;
      successesAnyTime += task.successAnyTime.successes;
      successesAtEnd += task.successAtEnd.successes;
    }
    return { ...fresh, judgedEpisodes, successesAnyTime, successesAtEnd };
  });
}

/** `runs=a,b` in the address: which runs are compared, the baseline first. */
export function chosenInAddress(search: string): string[] {
  return [...new Set((new URLSearchParams(search).get('runs') ?? '').split(',').filter((run) => run !== ''))];
}

export function addressWithChosen(href: string, chosen: readonly string[]): string {
  const url = new URL(href);
  url.searchParams.delete('runs');
  if (chosen.length > 0) url.searchParams.set('runs', chosen.join(','));
  url.search = url.search.replaceAll('%2C', ',').replaceAll('%2F', '/');
  return url.href;
}
