import { packedFrames } from './frames-message.ts';
import { OUTBOX_LIMITS, type PackedFrame, type PageOutbox } from './page-outbox.ts';
import type { PageState } from './page-state.ts';

export interface PictureClockOptions {
  readonly state: PageState;
  /** Of the pages that look at present. */
  readonly outboxes: () => readonly PageOutbox[];
  /** Called with the new values whenever one of them changes. */
  readonly changed: (posesHz: number, contacts: boolean) => void;
}

const MAX_TICK_HZ = 60;
/** Pictures a second to all pages together: a crowd gets fewer each, as pages blend between pictures and rollouts come first. */
const PICTURES_PER_SECOND = 240;
const LEAST_CROWD_HZ = 5;
const PAGES_AT_ONCE = 4;

/** Decides how often pictures are made and hands each to all pages that are due: one picture serves all of them. */
export class PictureClock {
  readonly #options: PictureClockOptions;
  #timer: NodeJS.Timeout | null = null;
  #made = 0;
  #newest: PackedFrame | null = null;
  #posesHz = 0;
  #contacts = false;
  #stopped = false;

  constructor(options: PictureClockOptions) {
    this.#options = options;
  }

  /** Poses a second wanted by the most demanding page now, shared out among a crowd; 0 while nobody watches. */
  get posesHz(): number {
    return this.#posesHz;
  }

  /** Whether a page looks at contacts. */
  get contacts(): boolean {
    return this.#contacts;
  }

  /** Pictures made since the start. */
  get made(): number {
    return this.#made;
  }

  /** To be called when pages come, go or want something else. */
  wishesChanged(): void {
    let [fastest, looking, contacts] = [0, 0, false];
    for (const outbox of this.#options.outboxes()) {
      const hz = outbox.effectiveHz;
      fastest = Math.max(fastest, hz);
      if (hz > OUTBOX_LIMITS.hiddenHz) looking++;
      contacts ||= outbox.wantsContacts;
    }
    const share = Math.max(LEAST_CROWD_HZ, PICTURES_PER_SECOND / Math.max(1, looking));
    // Every second, third, … of the pictures that were asked for, so that nobody just misses each second one.
    const wanted = fastest / Math.max(1, Math.ceil(fastest / share));
    if (wanted !== this.#posesHz || contacts !== this.#contacts) {
      if (wanted > this.#posesHz) this.#clear();
      this.#posesHz = wanted;
      this.#contacts = contacts;
      this.#options.changed(wanted, contacts);
    }
    this.#schedule();
  }

  stop(): void {
    this.#stopped = true;
    this.#clear();
  }

  #clear(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
  }

  #schedule(): void {
    if (this.#timer !== null || this.#posesHz === 0 || this.#stopped) return;
    this.#timer = setTimeout(() => this.#tick(), 1000 / Math.min(MAX_TICK_HZ, this.#posesHz));
    this.#timer.unref();
  }

  #tick(): void {
    this.#timer = null;
    const { version } = this.#options.state;
    let picture: PackedFrame | null = null;
    // Made at most once for all pages of a tick, and only if one of them is due.
    this.#pumpSome(this.#options.outboxes(), version, () => (picture ??= this.#newestFrame()));
  }

  /** A few pages at a time: between them simulators get their answers, which nobody should wait for because of a crowd. */
  #pumpSome(waiting: readonly PageOutbox[], version: number, frame: () => PackedFrame): void {
    const now = performance.now();
    for (const outbox of waiting.slice(0, PAGES_AT_ONCE)) outbox.pump(now, version, frame);
    if (waiting.length > PAGES_AT_ONCE && !this.#stopped) {
      setImmediate(() => this.#pumpSome(waiting.slice(PAGES_AT_ONCE), version, frame));
    } else {
      this.wishesChanged();
    }
  }

  #newestFrame(): PackedFrame {
    const { state } = this.#options;
    if (this.#newest?.version !== state.version) {
      this.#made++;
      this.#newest = { frame: this.#made, version: state.version, bytes: packedFrames(state, this.#made) };
    }
    return this.#newest;
  }
}
