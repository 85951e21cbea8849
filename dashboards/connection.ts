import { decodePageEvent, encodeMessage, packFrames, unpackFrames } from '../protocol/codec.ts';
import type { PageEvent, PageRequest } from '../protocol/dashboard-messages.ts';
import type { WireError } from '../protocol/error-codes.ts';
import { PROTOCOL_VERSION } from '../protocol/version.ts';
import { lossReason, retryDelayMs } from './retry.ts';

export type ConnectionState =
  /** `lost`: why there is no connection any more; null for the first one. */
  | { readonly kind: 'connecting'; readonly lost: string | null }
  | { readonly kind: 'open' }
  /** Lost; the next attempt is at `retryAt` (milliseconds of `Date.now`). */
  | { readonly kind: 'waiting'; readonly lost: string; readonly retryAt: number }
  /** The server does not want this page; only a person can change that. */
  | { readonly kind: 'refused'; readonly error: WireError };

export interface ConnectionOptions {
  readonly url: string;
  readonly token?: string;
  readonly onEvent: (event: PageEvent, frames: readonly Uint8Array[]) => void;
  readonly onState: (state: ConnectionState) => void;
}

export interface Connection {
  /** Dropped while there is no open connection. */
  send(request: PageRequest): void;
  /** Attempts at once, whatever the wait. */
  retryNow(): void;
  close(): void;
}

/** A dead network path shows only when something is sent over it. */
const KEEP_ALIVE_MS = 10_000;
const CONNECT_TIMEOUT_MS = 5000;

/** Keeps one connection to the server for as long as the page lives. State is always that of the socket itself. */
export function createConnection(options: ConnectionOptions): Connection {
  let socket: WebSocket | null = null;
  let attempt = 0;
  let lostBecause: string | null = null;
  let retryTimer: ReturnType<typeof setTimeout> | undefined;
  let connectTimer: ReturnType<typeof setTimeout> | undefined;
  let refusal: WireError | null = null;
  let closed = false;
  // The whole of what was asked for last: the server reads what is left out as no longer wanted.
  let subscription: PageRequest = { type: 'subscribe', framesHz: 0 };
  const keepAlive = setInterval(() => send(subscription), KEEP_ALIVE_MS);

  function connect(): void {
    clearTimeout(retryTimer);
    refusal = null;
    options.onState({ kind: 'connecting', lost: lostBecause });
    const opening = new WebSocket(options.url);
    socket = opening;
    opening.binaryType = 'arraybuffer';
    connectTimer = setTimeout(() => opening.close(), CONNECT_TIMEOUT_MS);
    opening.onopen = () => {
      const token = options.token === undefined ? {} : { token: options.token };
      write(opening, { type: 'hello', protocol: PROTOCOL_VERSION, ...token });
    };
    opening.onmessage = (message) => {
      received(opening, message.data);
    };
    opening.onclose = (event) => {
      if (opening === socket) lost(event);
    };
  }

  function received(from: WebSocket, data: unknown): void {
    if (from !== socket || !(data instanceof ArrayBuffer)) return;
    const frames = unpackFrames(new Uint8Array(data));
    const decoded = frames.ok ? decodePageEvent(frames.value) : frames;
    if (!decoded.ok) {
      refusal = decoded.error;
      from.close();
      return;
    }
    const { message } = decoded.value;
    if (message.type === 'refused') {
      refusal = message as WireError & typeof message;
      return;
    }
    if (message.type === 'welcome') {
      clearTimeout(connectTimer);
      attempt = 0;
      lostBecause = null;
      options.onState({ kind: 'open' });
    }
    options.onEvent(message, decoded.value.frames);
  }

  function lost(event: CloseEvent): void {
    clearTimeout(connectTimer);
    socket = null;
    if (closed) return;
    if (refusal !== null) {
      options.onState({ kind: 'refused', error: refusal });
      return;
    }
    const delay = retryDelayMs(attempt, Math.random());
    attempt++;
    lostBecause = lossReason(event.code);
    options.onState({ kind: 'waiting', lost: lostBecause, retryAt: Date.now() + delay });
    retryTimer = setTimeout(connect, delay);
  }

  function send(request: PageRequest): void {
    if (request.type === 'subscribe') subscription = request;
    if (socket?.readyState === WebSocket.OPEN) write(socket, request);
  }

  connect();
  return {
    send,
    retryNow: () => {
      if (socket === null) connect();
    },
    close: () => {
      closed = true;
      clearTimeout(retryTimer);
      clearInterval(keepAlive);
      socket?.close();
    },
  };
}

function write(socket: WebSocket, request: PageRequest): void {
  socket.send(packFrames(encodeMessage(request)));
}
