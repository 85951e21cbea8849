import { randomUUID } from 'node:crypto';
import type { Server } from 'node:http';
import type { EpisodeEnded, PageEvent } from '../../protocol/dashboard-messages.ts';
import type { EnvironmentView, LoadView, ModelView, RunSummary, WorkerView } from '../../protocol/dashboard-views.ts';
import type { ControlRequest } from '../../protocol/control-messages.ts';
import type { WireError } from '../../protocol/error-codes.ts';
import type { Result } from '../../protocol/result.ts';
import type { WatchPolicy } from '../../protocol/policy-messages.ts';
import { LiveUpgrades } from './live-upgrades.ts';
import { OperatorRequests, type RunAction } from './operator-requests.ts';
import type { PageTokens } from './page-access.ts';
import type { PageControl } from './page-control.ts';
import { CLOSE_CODES } from './page-outbox.ts';
import { packedEvent, PageSession } from './page-session.ts';
import { PageState, type StepView } from './page-state.ts';
import { PictureClock } from './picture-clock.ts';
import { PolicyWatch, type PolicySource } from './policy-watch.ts';

export type NoticeLevel = 'info' | 'warning' | 'error';

export interface PageHubOptions {
  /** New for every life of the server: a page that meets another one forgets what it knew. Default: random. */
  readonly serverId?: string;
  readonly tokens?: PageTokens;
  /** Host names, besides localhost and plain addresses, under which the page is served. */
  readonly allowedHosts?: readonly string[];
  /** Default 64. */
  readonly maxPages?: number;
  /** Carries out what an operator asked for; a failure is shown to that page. The run's next summary shows the success. */
  readonly onControl: (run: string, action: RunAction) => Result<void, WireError> | Promise<Result<void, WireError>>;
  /** Lets pages control simulations; without it they are told that there is no such thing here. */
  readonly hands?: PageControl;
  /** What pages may see of the policy's decisions; without it nothing. */
  readonly policy?: Omit<PolicySource, 'place'>;
  /** Called with the new values whenever `posesHz()` or `contacts()` changes. */
  readonly onPosesHz?: (posesHz: number, contacts: boolean) => void;
  /** Default 15 s; a page silent for two of them is cut off. */
  readonly pingIntervalMs?: number;
}

/** What pages cost the server; counts since its start, over pages that have gone as well. */
export interface PageTraffic {
  /** Pictures made; one serves all pages. */
  readonly packedFrames: number;
  readonly sentFrames: number;
  /** Pictures that were due but not sent, because a page was still busy with the last. */
  readonly skippedFrames: number;
  /** What is held for pages now, and for the slowest of them. */
  readonly waitingBytes: number;
  readonly mostWaitingBytes: number;
}

/** Everything that changes is told to the hub; it decides what each page hears of it and when. No call waits for a page. */
export interface PageHub {
  /** Serves WebSocket upgrades of `/live` on an HTTP server (`fastify.server`); other paths are answered with 404. */
  attach(server: Server): void;
  runUpdated(summary: RunSummary): void;
  /** `scene` may be empty: it is filled in as soon as `sceneReady` named the task's. */
  episodeStarted(environment: EnvironmentView): void;
  /** The geometry of a task can be fetched under this hash from now on. */
  sceneReady(task: string, hash: string): void;
  /** An episode that is running is drawn with geometry of its own. */
  episodeScene(episode: number, hash: string): void;
  step(key: string, step: StepView): void;
  /**
   * @param poses float32 [rows, 7] flattened: rows of `ScenePoses.rows`, world frame left out; copied
   * @param contacts float32 [n, 11] flattened, of the same moment; copied
   */
  poses(key: string, poses: Float32Array, contacts?: Float32Array): void;
  episodeEnded(event: Omit<EpisodeEnded, 'type' | 'sequence'>): void;
  /**
   * The environment will not be used again: its tile goes. Not needed for workers that `workersUpdated` shows to be lost or
   * leaves out, nor for environments of runs that are over: those keep their last picture until another run starts.
   */
  environmentClosed(key: string): void;
  workersUpdated(workers: readonly WorkerView[]): void;
  /** `viewers` is filled in by the hub. */
  loadUpdated(load: Omit<LoadView, 'viewers'>): void;
  modelUpdated(model: ModelView | null): void;
  notice(level: NoticeLevel, text: string): void;
  /** Poses a second wanted by the most demanding page now; 0 while nobody watches. */
  posesHz(): number;
  /** Whether a page looks at contacts. */
  contacts(): boolean;
  viewers(): number;
  traffic(): PageTraffic;
  close(): Promise<void>;
}

/** Summaries of a run are sent at most this often, unless its state changed. */
const SUMMARY_INTERVAL_MS = 250;

export function createPageHub(options: PageHubOptions): PageHub {
  const state = new PageState();
  const sessions = new Set<PageSession>();
  const pendingRuns = new Set<string>();
  const maxPages = options.maxPages ?? 64;
  let sequence = 0;
  let summaryTimer: NodeJS.Timeout | null = null;
  const gone = { sentFrames: 0, skippedFrames: 0 };
  const pictures = new PictureClock({
    state,
    outboxes: () => [...sessions].map(({ outbox }) => outbox),
    changed: (posesHz, contacts) => options.onPosesHz?.(posesHz, contacts),
  });

  const policyWatch = new PolicyWatch({
    inspect: () => undefined,
    usage: () => undefined,
    ...options.policy,
    place: (key) => {
      const environment = state.environments.get(key);
      return environment === undefined ? undefined : `${environment.episode}:${environment.step}`;
    },
  });
  const operators = new OperatorRequests({
    onControl: options.onControl,
    hands: options.hands,
    refused: (session, text) =>
      session.send({ type: 'notice', sequence, level: 'warning', text, at: new Date().toISOString() }),
  });
  const pinger = setInterval(pingAll, options.pingIntervalMs ?? 15_000);
  pinger.unref();

  const owner = {
    serverId: options.serverId ?? randomUUID(),
    tokens: options.tokens ?? {},
    opened,
    rateChanged: () => pictures.wishesChanged(),
    control: (session: PageSession, request: { run: string; action: RunAction }) => operators.run(session, request),
    handled: (session: PageSession, request: ControlRequest) => operators.simulation(session, request),
    watchPolicy: (session: PageSession, request: WatchPolicy) => policyWatch.watch(session, request),
    policySeen: (session: PageSession, number: number) => policyWatch.acknowledged(session, number),
    closed: (session: PageSession) => {
      policyWatch.closed(session);
      if (sessions.delete(session)) options.hands?.closed(session);
      gone.sentFrames += session.outbox.sentFrames;
      gone.skippedFrames += session.outbox.skippedFrames;
      viewersChanged();
    },
  };

  const upgrades = new LiveUpgrades({
    maxSockets: 2 * maxPages,
    allowedHosts: options.allowedHosts ?? [],
    connected: (socket) => new PageSession(socket, owner),
  });

  function opened(session: PageSession): void {
    if (sessions.size >= maxPages) {
      session.outbox.close(CLOSE_CODES.tooMany, 'too many pages');
      return;
    }
    sessions.add(session);
    session.send(state.snapshot(sequence));
    for (const event of state.log) session.send(event);
    options.hands?.opened(session);
    viewersChanged();
  }

  function viewersChanged(): void {
    state.loadUpdated({ ...state.load, viewers: sessions.size });
    pictures.wishesChanged();
  }

  function broadcast(event: PageEvent): void {
    if (sessions.size === 0) return;
    const bytes = packedEvent(event);
    for (const session of sessions) session.outbox.enqueue(bytes);
  }

  function flushSummaries(): void {
    summaryTimer = null;
    for (const run of pendingRuns) {
      const summary = state.run(run);
      if (summary !== undefined) broadcast({ type: 'run-updated', sequence: ++sequence, summary });
    }
    pendingRuns.clear();
  }

  function traffic(): PageTraffic {
    const outboxes = [...sessions].map((session) => session.outbox);
    const waiting = outboxes.map((outbox) => outbox.waitingBytes);
    const sum = (values: readonly number[], begin = 0): number => values.reduce((total, value) => total + value, begin);
    return {
      packedFrames: pictures.made,
      sentFrames: sum(
        outboxes.map((outbox) => outbox.sentFrames),
        gone.sentFrames,
      ),
      skippedFrames: sum(
        outboxes.map((outbox) => outbox.skippedFrames),
        gone.skippedFrames,
      ),
      waitingBytes: sum(waiting),
      mostWaitingBytes: Math.max(0, ...waiting),
    };
  }

  function pingAll(): void {
    for (const session of sessions) {
      if (session.alive) session.ping();
      else session.terminate();
    }
  }

  return {
    attach: (server) => upgrades.attach(server),
    runUpdated(summary) {
      const before = state.run(summary.run);
      state.runUpdated(summary);
      pendingRuns.add(summary.run);
      if (before?.state !== summary.state) flushSummaries();
      else summaryTimer ??= setTimeout(flushSummaries, SUMMARY_INTERVAL_MS).unref();
    },
    episodeStarted(environment) {
      const shown = state.episodeStarted(environment);
      if (shown !== null) broadcast({ type: 'episode-started', sequence: ++sequence, environment: shown });
    },
    sceneReady(task, hash) {
      for (const environment of state.sceneReady(task, hash)) {
        broadcast({ type: 'episode-started', sequence: ++sequence, environment });
      }
    },
    episodeScene(episode, hash) {
      const environment = state.episodeScene(episode, hash);
      if (environment !== null) broadcast({ type: 'episode-started', sequence: ++sequence, environment });
    },
    step: (key, step) => state.step(key, step),
    poses: (key, poses, touching) => state.poses(key, poses, touching),
    episodeEnded(event) {
      const numbered: EpisodeEnded = { type: 'episode-ended', sequence: ++sequence, ...event };
      state.remember(numbered);
      broadcast(numbered);
    },
    environmentClosed: (key) => state.environmentClosed(key),
    workersUpdated(workers) {
      state.workersUpdated(workers);
      broadcast({ type: 'workers-updated', sequence: ++sequence, workers: [...state.workers] });
    },
    loadUpdated: (load) => state.loadUpdated({ ...load, viewers: sessions.size }),
    modelUpdated(model) {
      state.model = model;
      broadcast(state.snapshot(++sequence));
    },
    notice(level, text) {
      const event: PageEvent = {
        type: 'notice',
        sequence: ++sequence,
        level,
        text: text.slice(0, 4096),
        at: new Date().toISOString(),
      };
      state.remember(event);
      broadcast(event);
    },
    posesHz: () => pictures.posesHz,
    contacts: () => pictures.contacts,
    viewers: () => sessions.size,
    traffic,
    close: () => {
      upgrades.detach();
      clearInterval(pinger);
      policyWatch.close();
      pictures.stop();
      if (summaryTimer !== null) clearTimeout(summaryTimer);
      for (const session of sessions) session.outbox.close(CLOSE_CODES.shuttingDown, 'server is stopping');
      return upgrades.close();
    },
  };
}
