/** Close codes of `/live`. */
export const CLOSE_CODES = {
  shuttingDown: 1001,
  malformed: 1008,
  tooMany: 4002,
  tokenRefused: 4003,
  versionRefused: 4005,
  silent: 4006,
  slow: 4008,
} as const;

export const OUTBOX_LIMITS = {
  queuedEvents: 512,
  queuedBytes: 4 * 1024 * 1024,
  /** Bytes the socket may still hold while events are handed to it. */
  socketBytes: 256 * 1024,
  /** The same for frames: a picture waits until the socket is nearly drained, and the newest is taken then. */
  socketBytesForFrame: 64 * 1024,
  acknowledgeTimeoutMs: 2000,
  hiddenHz: 1,
} as const;

/** The part of a WebSocket that sending needs. */
export interface PageSocket {
  readonly bufferedAmount: number;
  send(bytes: Uint8Array): void;
  close(code: number, reason: string): void;
}

export interface PackedFrame {
  readonly frame: number;
  /** `PageState.version` it was made from. */
  readonly version: number;
  readonly bytes: Uint8Array;
}

/**
 * What one page is owed. Two classes of traffic: events, in order and complete, with a limit beyond which the page is cut
 * off to be seeded afresh; and frames, of which only the newest exists and at most one is unacknowledged.
 */
export class PageOutbox {
  readonly #socket: PageSocket;
  readonly #events: Uint8Array[] = [];
  #queuedBytes = 0;
  #inFlight: { readonly frame: number; readonly sentAt: number } | null = null;
  #lastSentAt = -Infinity;
  #lastVersion = -1;
  #framesHz = 0;
  #contacts = false;
  #visible = true;
  #stalled = false;
  #closed = false;
  /** Frames that were due but had to wait for an acknowledgement or for the socket. */
  skippedFrames = 0;
  sentFrames = 0;

  constructor(socket: PageSocket) {
    this.#socket = socket;
  }

  get closed(): boolean {
    return this.#closed;
  }

  /** Bytes that this page makes the server hold: queued events, and what the socket has not passed on. */
  get waitingBytes(): number {
    return this.#queuedBytes + this.#socket.bufferedAmount;
  }

  /** Frames a second that this page can use now; a page that does not answer counts as hidden. */
  get effectiveHz(): number {
    if (this.#closed) return 0;
    return this.#visible && !this.#stalled ? this.#framesHz : Math.min(this.#framesHz, OUTBOX_LIMITS.hiddenHz);
  }

  /** @param contacts whether pictures are to bring contacts along */
  subscribe(framesHz: number, contacts = false): void {
    this.#framesHz = framesHz;
    this.#contacts = contacts;
  }

  /** Whether this page looks at contacts now. */
  get wantsContacts(): boolean {
    return this.#contacts && this.#visible && !this.#stalled && this.effectiveHz > 0;
  }

  acknowledge(frame: number, visible: boolean): void {
    this.#visible = visible;
    if (this.#inFlight?.frame !== frame) return;
    this.#inFlight = null;
    this.#stalled = false;
  }

  enqueue(bytes: Uint8Array): void {
    if (this.#closed) return;
    this.#events.push(bytes);
    this.#queuedBytes += bytes.byteLength;
    this.#sendEvents();
    if (this.#events.length > OUTBOX_LIMITS.queuedEvents || this.#queuedBytes > OUTBOX_LIMITS.queuedBytes) {
      this.close(CLOSE_CODES.slow, 'L2M_VIEWER_SLOW');
    }
  }

  /** Sends at once what is worth nothing later, or not at all while the socket is full. @returns whether it was sent */
  offer(bytes: Uint8Array): boolean {
    const blocked = this.#events.length > 0 || this.#socket.bufferedAmount > OUTBOX_LIMITS.socketBytesForFrame;
    if (this.#closed || blocked) return false;
    this.#socket.send(bytes);
    return true;
  }

  /** Sends what may be sent at `now` (milliseconds); `frame` is called only if a frame is due. */
  pump(now: number, version: number, frame: () => PackedFrame): void {
    if (this.#closed) return;
    this.#sendEvents();
    if (this.#inFlight !== null && now - this.#inFlight.sentAt >= OUTBOX_LIMITS.acknowledgeTimeoutMs) {
      this.#inFlight = null;
      this.#stalled = true;
    }
    if (version === this.#lastVersion || !this.#due(now)) return;
    const blocked = this.#events.length > 0 || this.#socket.bufferedAmount > OUTBOX_LIMITS.socketBytesForFrame;
    if (blocked || this.#inFlight !== null) {
      this.skippedFrames++;
      return;
    }
    const packed = frame();
    this.#socket.send(packed.bytes);
    this.sentFrames++;
    this.#inFlight = { frame: packed.frame, sentAt: now };
    this.#lastSentAt = now;
    this.#lastVersion = packed.version;
  }

  close(code: number, reason: string): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#events.length = 0;
    this.#queuedBytes = 0;
    this.#socket.close(code, reason);
  }

  /** A few milliseconds early count as due: timers fire on a coarse grid, and being late each time would halve the rate. */
  #due(now: number): boolean {
    const hz = this.effectiveHz;
    return hz > 0 && now - this.#lastSentAt >= 1000 / hz - 4;
  }

  #sendEvents(): void {
    while (this.#events.length > 0 && this.#socket.bufferedAmount < OUTBOX_LIMITS.socketBytes) {
      const bytes = this.#events.shift();
      if (bytes === undefined) return;
      this.#queuedBytes -= bytes.byteLength;
      this.#socket.send(bytes);
    }
  }
}
