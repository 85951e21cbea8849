import type { ControlUpdated } from '../protocol/control-messages.ts';
import type { EpisodeEnded, PageEvent } from '../protocol/dashboard-messages.ts';
import type { EnvironmentView, LoadView, ModelView, RunSummary, WorkerView } from '../protocol/dashboard-views.ts';
import { IDLE_LOAD } from '../protocol/idle-load.ts';

export type LogEvent = Extract<PageEvent, { type: 'notice' | 'episode-ended' }>;

/** What the page knows, apart from the fast numbers of `LiveFrames`. Values are replaced, never changed in place. */
export interface DashboardState {
  readonly serverId: string;
  readonly role: 'viewer' | 'operator';
  /** Whether a snapshot came since the page was opened. */
  readonly seeded: boolean;
  /** Newest last. */
  readonly runs: readonly RunSummary[];
  /** By key, in the order in which they appeared. */
  readonly environments: ReadonlyMap<string, EnvironmentView>;
  /** How the last episode of an environment ended, until its next one starts. */
  readonly outcomes: ReadonlyMap<string, EpisodeEnded>;
  readonly workers: readonly WorkerView[];
  readonly load: LoadView;
  readonly model: ModelView | null;
  /** Who controls, and what is out of the ordinary; null until the server has said. */
  readonly control: ControlUpdated | null;
  /** Newest last, bounded. */
  readonly log: readonly LogEvent[];
}

const MOST_LOG_ENTRIES = 200;

export const INITIAL_STATE: DashboardState = {
  serverId: '',
  role: 'viewer',
  seeded: false,
  runs: [],
  environments: new Map(),
  outcomes: new Map(),
  workers: [],
  load: IDLE_LOAD,
  model: null,
  control: null,
  log: [],
};

/** The state after `event`. Parts that did not change keep their identity, so that their views need not be drawn again. */
export function reduce(state: DashboardState, event: PageEvent): DashboardState {
  switch (event.type) {
    case 'welcome': {
      // Another life of the server: its sequence numbers, runs and log have nothing to do with the old ones.
      const base = event.serverId === state.serverId ? state : INITIAL_STATE;
      return { ...base, serverId: event.serverId, role: event.role };
    }
    case 'snapshot': {
      return {
        ...state,
        seeded: true,
        runs: event.runs,
        environments: new Map(event.environments.map((environment) => [environment.key, environment])),
        outcomes: new Map(),
        workers: event.workers,
        load: event.load,
        model: event.model,
      };
    }
    case 'run-updated':
      return { ...state, runs: withRun(state.runs, event.summary) };
    case 'episode-started': {
      const { environment } = event;
      return {
        ...state,
        environments: new Map(state.environments).set(environment.key, environment),
        outcomes: without(state.outcomes, environment.key),
      };
    }
    case 'episode-ended': {
      const present = state.environments.get(event.key)?.episode === event.episode;
      return {
        ...state,
        outcomes: present ? new Map(state.outcomes).set(event.key, event) : state.outcomes,
        log: withEntry(state.log, event),
      };
    }
    case 'workers-updated':
      return { ...state, workers: event.workers };
    case 'notice':
      return { ...state, log: withEntry(state.log, event) };
    case 'frames':
      return { ...state, ...presentOnly(state, event.keys), load: event.load };
    case 'control-updated':
      return { ...state, control: event };
    case 'decision':
    case 'pool':
    case 'no-decision':
    case 'echoed':
    case 'refused':
      return state;
  }
}

/** Running runs before waiting ones before those that are over; among equals the newest. */
export function leadingRun(runs: readonly RunSummary[]): RunSummary | undefined {
  let leading: RunSummary | undefined;
  for (const run of runs) {
    if (leading === undefined || activity(run) >= activity(leading)) leading = run;
  }
  return leading;
}

export function isActive(run: RunSummary): boolean {
  return activity(run) > 0;
}

function activity(run: RunSummary): number {
  switch (run.state) {
    case 'running':
    case 'paused':
    case 'draining':
      return 2;
    case 'starting':
      return 1;
    case 'finished':
    case 'stopped':
    case 'failed':
      return 0;
  }
}

function withRun(runs: readonly RunSummary[], summary: RunSummary): readonly RunSummary[] {
  const index = runs.findIndex((run) => run.run === summary.run);
  return index < 0 ? [...runs, summary] : runs.with(index, summary);
}

/** A page that reconnects is told the recent past again. */
function withEntry(log: readonly LogEvent[], entry: LogEvent): readonly LogEvent[] {
  const last = log.at(-1);
  if (last !== undefined && entry.sequence <= last.sequence && log.some((each) => each.sequence === entry.sequence)) {
    return log;
  }
  return [...log, entry].slice(-MOST_LOG_ENTRIES);
}

/** A picture lists all environments there are; what it does not list is gone. */
function presentOnly(
  state: DashboardState,
  keys: readonly string[],
): Pick<DashboardState, 'environments' | 'outcomes'> {
  const present = new Set(keys);
  const allPresent = [...state.environments.keys()].every((key) => present.has(key));
  if (allPresent) return state;
  const kept = <Value>(map: ReadonlyMap<string, Value>) => new Map([...map].filter(([key]) => present.has(key)));
  return { environments: kept(state.environments), outcomes: kept(state.outcomes) };
}

function without<Value>(map: ReadonlyMap<string, Value>, key: string): ReadonlyMap<string, Value> {
  if (!map.has(key)) return map;
  const copy = new Map(map);
  copy.delete(key);
  return copy;
}
