import type { Assign, Observed, ServerMessage, WorkerMessage } from '../../protocol/simulator-messages.ts';
import { PROTOCOL_VERSION } from '../../protocol/version.ts';
import { actMessage, type ActionRow } from './act-message.ts';
import { openGateway, versionRefusal, type Gateway } from './gateway.ts';
import {
  afterHearing,
  afterHello,
  afterSlotEvent,
  overdue,
  type ReadySession,
  type SessionDeadlines,
} from './session.ts';
import { readTick, type TickRow } from './tick-rows.ts';
import type { CurveServer } from './curve.ts';
import type { WorkerEvents } from './worker-events.ts';

export interface WorkerHubOptions {
  readonly endpoint: string;
  readonly curve: CurveServer | undefined;
  readonly serverId: string;
  readonly deadlines: SessionDeadlines;
}

const HEARTBEAT_MS = 500;
const WORKER_LIVENESS_MS = 5000;
/** Its socket is gone before its process is known to be: so long is waited for those who know why. */
const LAST_WORDS_MS = 500;

/** All connected workers: their sessions, deadlines and messages. Knows nothing of runs, policies or processes. */
export class WorkerHub {
  readonly #sessions = new Map<string, ReadySession>();
  readonly #peers = new Map<string, string>();
  /** Workers that cannot be reached and are not given up yet. */
  readonly #outOfTouch = new Map<string, NodeJS.Timeout>();
  readonly #events: WorkerEvents;
  readonly #options: WorkerHubOptions;
  readonly #timer: NodeJS.Timeout;
  #gateway: Gateway | undefined;
  #closing = false;

  private constructor(events: WorkerEvents, options: WorkerHubOptions) {
    this.#events = events;
    this.#options = options;
    this.#timer = setInterval(() => this.#tend(), HEARTBEAT_MS);
  }

  static async open(events: WorkerEvents, options: WorkerHubOptions): Promise<WorkerHub> {
    const hub = new WorkerHub(events, options);
    try {
      hub.#gateway = await openGateway(
        {
          message: (peer, message, frames) => hub.#receive(peer, message, frames),
          garbage: (peer, error) => hub.#giveUpPeer(peer, `sent garbage: ${error.message}`),
          unreachable: (peer) => hub.#loseTouch(peer),
        },
        options,
      );
    } catch (cause) {
      clearInterval(hub.#timer);
      throw cause;
    }
    return hub;
  }

  get endpoint(): string {
    return this.#gateway?.endpoint ?? '';
  }

  sessions(): ReadonlyMap<string, ReadySession> {
    return this.#sessions;
  }

  assign(worker: string, message: Omit<Assign, 'type'>): void {
    this.#advance(worker, message.environment, {
      type: 'assigned',
      episode: message.episode,
      nowMs: performance.now(),
    });
    this.#send(worker, { type: 'assign', ...message });
  }

  /** Sends one `act` message. `actions` is row-major [rows, actionSize]. */
  act(worker: string, rows: readonly ActionRow[], actions: Float32Array): void {
    const nowMs = performance.now();
    for (const { environment, episode } of rows) {
      this.#advance(worker, environment, { type: 'acted', episode, nowMs });
    }
    const { message, frames } = actMessage(rows, actions);
    this.#send(worker, message, frames);
  }

  release(worker: string, environment: number, episode: number): void {
    this.#advance(worker, environment, { type: 'released', episode });
    this.#send(worker, { type: 'release', environment, episode });
  }

  broadcast(message: ServerMessage): void {
    for (const worker of this.#sessions.keys()) this.#send(worker, message);
  }

  tell(worker: string, message: ServerMessage): void {
    this.#send(worker, message);
  }

  /** Gives a worker up, for instance because its process ended. */
  giveUp(worker: string, reason: string): void {
    clearTimeout(this.#outOfTouch.get(worker));
    this.#outOfTouch.delete(worker);
    if (!this.#sessions.delete(worker)) return;
    this.#peers.delete(worker);
    if (!this.#closing) this.#events.lost(worker, reason);
  }

  async close(reason: string): Promise<void> {
    this.#closing = true;
    clearInterval(this.#timer);
    for (const timer of this.#outOfTouch.values()) clearTimeout(timer);
    this.broadcast({ type: 'drain', reason });
    await this.#gateway?.close();
  }

  #receive(peer: string, message: WorkerMessage, frames: readonly Uint8Array[]): void {
    if (message.type === 'hello') {
      this.#welcome(peer, message);
      return;
    }
    const worker = this.#workerOf(peer);
    const session = worker === undefined ? undefined : this.#sessions.get(worker);
    if (worker === undefined || session === undefined) return;
    this.#sessions.set(worker, afterHearing(session, performance.now()));
    switch (message.type) {
      case 'observed':
        this.#observed(worker, message, frames);
        return;
      case 'described':
        this.#events.described(message.spec);
        return;
      case 'fault':
        this.#fault(worker, message);
        return;
      case 'scene':
        this.#scene(message, frames);
        return;
      case 'heartbeat':
        return;
      case 'bye':
        this.giveUp(worker, message.reason === '' ? 'said bye' : message.reason);
        return;
    }
  }

  #scene(message: Extract<WorkerMessage, { type: 'scene' }>, frames: readonly Uint8Array[]): void {
    const manifest = frames[message.manifest.frame] ?? new Uint8Array();
    const assets = frames[message.assets.frame] ?? new Uint8Array();
    this.#events.scene(message.task, { hash: message.hash, manifest, assets }, message.episode);
  }

  #welcome(peer: string, hello: Extract<WorkerMessage, { type: 'hello' }>): void {
    const outcome = afterHello(hello, performance.now());
    if (!outcome.accepted) {
      this.#gateway?.send(peer, versionRefusal(outcome.theirVersion));
      return;
    }
    const worker = outcome.session.workerId;
    this.giveUp(worker, 'said hello again');
    this.#sessions.set(worker, outcome.session);
    this.#peers.set(worker, peer);
    this.#send(worker, {
      type: 'welcome',
      protocol: { ...PROTOCOL_VERSION },
      serverId: this.#options.serverId,
      heartbeatMs: HEARTBEAT_MS,
      livenessMs: WORKER_LIVENESS_MS,
    });
    this.#events.ready(worker, outcome.session);
  }

  #observed(worker: string, message: Observed, frames: readonly Uint8Array[]): void {
    const tick = readTick(message, frames);
    if (!tick.ok) {
      this.giveUp(worker, `sent an inconsistent tick: ${tick.error}`);
      return;
    }
    const accepted: TickRow[] = [];
    let late = 0;
    for (const row of tick.value) {
      const verdict = this.#advance(worker, row.environment, {
        type: 'row',
        episode: row.episode,
        step: row.step,
        last: row.finished,
      });
      if (verdict === 'gone') return;
      if (verdict === 'accepted') accepted.push(row);
      else late += 1;
    }
    if (late > 0) this.#events.late(late);
    if (accepted.length > 0) this.#events.rows(accepted, message, worker);
  }

  #fault(worker: string, message: Extract<WorkerMessage, { type: 'fault' }>): void {
    const { environment, episode, code, message: text } = message;
    if (environment === undefined || episode === undefined) return;
    const verdict = this.#advance(worker, environment, { type: 'faulted', episode });
    if (verdict === 'accepted') this.#events.fault({ episode, code, message: text });
  }

  /** Applies one event to a slot; a worker that breaks the protocol is given up on the spot. */
  #advance(
    worker: string,
    environment: number,
    event: Parameters<typeof afterSlotEvent>[2],
  ): 'accepted' | 'late' | 'gone' {
    const session = this.#sessions.get(worker);
    if (session === undefined) return 'gone';
    const { session: after, verdict } = afterSlotEvent(session, environment, event);
    this.#sessions.set(worker, after);
    if (verdict !== 'illegal') return verdict;
    this.giveUp(worker, `broke the protocol: ${event.type} on environment ${environment} is not allowed now`);
    return 'gone';
  }

  #tend(): void {
    const nowMs = performance.now();
    for (const [worker, session] of this.#sessions) {
      const reason = overdue(session, nowMs, this.#options.deadlines);
      if (reason !== undefined) this.giveUp(worker, reason);
      else this.#send(worker, { type: 'alive' });
    }
  }

  #workerOf(peer: string): string | undefined {
    for (const [worker, itsPeer] of this.#peers) if (itsPeer === peer) return worker;
    return undefined;
  }

  #giveUpPeer(peer: string, reason: string): void {
    const worker = this.#workerOf(peer);
    if (worker !== undefined) this.giveUp(worker, reason);
  }

  /** Given up in a moment, unless somebody says before why it is gone. */
  #loseTouch(peer: string): void {
    const worker = this.#workerOf(peer);
    if (worker === undefined || this.#outOfTouch.has(worker)) return;
    this.#outOfTouch.set(worker, setTimeout(() => this.giveUp(worker, 'cannot be reached'), LAST_WORDS_MS).unref());
  }

  #send(worker: string, message: ServerMessage, frames: readonly Uint8Array[] = []): void {
    const peer = this.#peers.get(worker);
    if (peer !== undefined && !this.#outOfTouch.has(worker)) this.#gateway?.send(peer, message, frames);
  }
}
