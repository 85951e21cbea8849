import { computed, signal } from '@preact/signals';
import type { PageEvent, PageRequest } from '../protocol/dashboard-messages.ts';
import type { RunSummary } from '../protocol/dashboard-views.ts';
import { Steering } from './control/steering.ts';
import { createConnection, type Connection, type ConnectionState } from './connection.ts';
import { LiveFrames } from './live-frames.ts';
import { LoadHistory } from './load-history.ts';
import { PolicyFeed } from './policy/policy-feed.ts';
import { focusFromAddress, replayFromAddress, type ReplayRequest } from './replay-address.ts';
import { INITIAL_STATE, leadingRun, reduce } from './state.ts';

/** Pictures a second asked of the server while the page is in view. */
const FRAMES_HZ = 30;
const ECHO_EVERY_MS = 2000;
/** Numbers that change faster than this cannot be read. */
const NUMBERS_MS = 100;

/** Everything the views read, as signals: a view is drawn again only if a value that it read has changed. */
export class Store {
  readonly state = signal(INITIAL_STATE);
  readonly connection = signal<ConnectionState>({ kind: 'connecting', lost: null });
  /** Rises when the numbers in `live` should be shown anew. */
  readonly numbersTick = signal(0);
  /** Pictures drawn in the last second; null while nothing is drawn. */
  readonly fps = signal<number | null>(null);
  /** How long the server takes to answer, and pictures that it had to leave out for this page; null until it has. */
  readonly pulse = signal<{ readonly roundTripMs: number; readonly dropped: number } | null>(null);
  readonly chosenRun = signal<string | null>(null);
  /** A run of an earlier life of the server, when one was chosen. */
  readonly storedRun = signal<RunSummary | null>(null);
  /** The recording that is to be shown above what is live; null for live alone. */
  readonly replay = signal<ReplayRequest | null>(replayFromAddress(location.search));
  /** Key of the environment that is shown large; it need not be there. */
  readonly focused = signal(focusFromAddress(location.search));
  /** Whether contacts and forces are drawn; they are only asked for then. */
  readonly contacts = signal(false);
  readonly live = new LiveFrames();
  readonly history = new LoadHistory();
  readonly policy = new PolicyFeed((request) => this.send(request));

  readonly runs = computed(() => this.state.value.runs);
  readonly environments = computed(() => this.state.value.environments);
  readonly outcomes = computed(() => this.state.value.outcomes);
  readonly workers = computed(() => this.state.value.workers);
  readonly model = computed(() => this.state.value.model);
  readonly log = computed(() => this.state.value.log);
  readonly seeded = computed(() => this.state.value.seeded);
  readonly operator = computed(() => this.state.value.role === 'operator');
  readonly connected = computed(() => this.connection.value.kind === 'open');
  readonly control = computed(() => this.state.value.control);
  readonly steering = new Steering({
    send: (request) => this.send(request),
    environment: (key) => this.environments.peek().get(key),
  });
  readonly run = computed(() => {
    const runs = this.runs.value;
    const chosen = this.chosenRun.value;
    const stored = this.storedRun.value;
    return runs.find((run) => run.run === chosen) ?? (stored?.run === chosen ? stored : null) ?? leadingRun(runs);
  });

  #connection: Connection | null = null;
  #numbersAt = 0;
  #numbersTimer: ReturnType<typeof setTimeout> | undefined;

  connect(url: string, token: string | undefined): void {
    this.#connection?.close();
    this.#connection = createConnection({
      url,
      ...(token === undefined ? {} : { token }),
      onEvent: (event, frames) => this.#received(event, frames),
      onState: (state) => (this.connection.value = state),
    });
    document.addEventListener('visibilitychange', this.#visibilityChanged);
    setInterval(this.#askEcho, ECHO_EVERY_MS);
    this.contacts.subscribe(() => this.#subscribe());
  }

  /** Reads something that changes with every picture: a view that does so is drawn again ten times a second, not thirty. */
  atTick<Value>(read: (tick: number) => Value): Value {
    return read(this.numbersTick.value);
  }

  send(request: PageRequest): void {
    this.#connection?.send(request);
  }

  retryNow(): void {
    this.#connection?.retryNow();
  }

  #received(event: PageEvent, frames: readonly Uint8Array[]): void {
    const before = this.state.value;
    this.state.value = reduce(before, event);
    switch (event.type) {
      case 'welcome': {
        if (event.serverId !== before.serverId) {
          this.live.clear();
          this.history.clear();
          this.chosenRun.value = null;
        }
        this.#subscribe();
        this.policy.welcomed();
        this.#askEcho();
        break;
      }
      case 'episode-started': {
        const { key, scene } = event.environment;
        if (before.environments.get(key)?.scene !== scene) this.live.sceneChanged(key);
        break;
      }
      case 'frames': {
        const now = performance.now();
        this.live.apply(event, frames, now);
        this.history.add(event.load, Date.now() / 1000);
        this.send({ type: 'acknowledge', frame: event.frame, visible: !document.hidden });
        this.#showNumbersSoon(now);
        break;
      }
      case 'echoed': {
        this.pulse.value = { roundTripMs: performance.now() - event.stamp, dropped: event.skippedFrames };
        break;
      }
      case 'decision':
      case 'pool':
      case 'no-decision': {
        this.policy.received(event, frames);
        break;
      }
      case 'snapshot':
      case 'run-updated':
      case 'episode-ended':
      case 'workers-updated':
      case 'notice':
      case 'control-updated':
      case 'refused':
        break;
    }
  }

  readonly #askEcho = (): void => this.send({ type: 'echo', stamp: performance.now() });

  #subscribe(): void {
    if (!this.connected.peek()) return;
    this.send({ type: 'subscribe', framesHz: FRAMES_HZ, ...(this.contacts.peek() ? { contacts: true } : {}) });
  }

  /** At most every `NUMBERS_MS`, and never leaves the newest unshown. */
  #showNumbersSoon(now: number): void {
    if (this.#numbersTimer !== undefined) return;
    const show = (): void => {
      this.#numbersTimer = undefined;
      this.#numbersAt = performance.now();
      this.numbersTick.value++;
    };
    const wait = this.#numbersAt + NUMBERS_MS - now;
    if (wait <= 0) show();
    else this.#numbersTimer = setTimeout(show, wait);
  }

  /** Tells the server at once: a page that shows again should not wait for its next slow picture. */
  readonly #visibilityChanged = (): void => {
    this.send({ type: 'acknowledge', frame: 0, visible: !document.hidden });
  };
}
