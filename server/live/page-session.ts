import type { WebSocket } from 'ws';
import { decodePageRequest, encodeMessage, packFrames, unpackFrames } from '../../protocol/codec.ts';
import type { ControlRequest } from '../../protocol/control-messages.ts';
import type { PageEvent, PageRequest } from '../../protocol/dashboard-messages.ts';
import { wireError, type WireError } from '../../protocol/error-codes.ts';
import type { WatchPolicy } from '../../protocol/policy-messages.ts';
import { failure, success, type Result } from '../../protocol/result.ts';
import { PROTOCOL_VERSION, versionAccepted } from '../../protocol/version.ts';
import { roleOfToken, type PageRole, type PageTokens } from './page-access.ts';
import { CLOSE_CODES, OUTBOX_LIMITS, PageOutbox } from './page-outbox.ts';

const HELLO_TIMEOUT_MS = 5000;
/** A page acknowledges at most 60 frames a second and says little else. */
const MOST_MESSAGES_A_SECOND = 240;

export interface SessionOwner {
  readonly serverId: string;
  readonly tokens: PageTokens;
  /** The handshake is done: seed the page. */
  opened(session: PageSession): void;
  /** The page asked for another rate, or became hidden, visible or slow. */
  rateChanged(): void;
  control(session: PageSession, request: Extract<PageRequest, { type: 'control' }>): void;
  handled(session: PageSession, request: ControlRequest): void;
  watchPolicy(session: PageSession, request: WatchPolicy): void;
  policySeen(session: PageSession, number: number): void;
  closed(session: PageSession): void;
}

let sessionsSoFar = 0;

/** One page: handshake, its requests, its outbox. */
export class PageSession {
  readonly id = ++sessionsSoFar;
  readonly outbox: PageOutbox;
  role: PageRole = 'viewer';
  /** Whether the WebSocket answered the last ping. */
  alive = true;
  readonly #socket: WebSocket;
  readonly #owner: SessionOwner;
  readonly #helloTimer: NodeJS.Timeout;
  #greeted = false;
  #windowStartedAt = 0;
  #messagesInWindow = 0;

  constructor(socket: WebSocket, owner: SessionOwner) {
    this.#socket = socket;
    this.#owner = owner;
    this.outbox = new PageOutbox({
      get bufferedAmount() {
        return socket.bufferedAmount;
      },
      send: (bytes) => socket.send(bytes),
      close: (code, reason) => this.#shut(code, reason),
    });
    this.#helloTimer = setTimeout(() => this.outbox.close(CLOSE_CODES.silent, 'no hello'), HELLO_TIMEOUT_MS);
    this.#helloTimer.unref();
    socket.on('message', (data, isBinary) => this.#received(data as Buffer, isBinary));
    socket.on('pong', () => (this.alive = true));
    // `close` follows every error; nothing is lost by ignoring which one it was.
    socket.on('error', () => undefined);
    socket.on('close', () => {
      clearTimeout(this.#helloTimer);
      this.outbox.close(CLOSE_CODES.shuttingDown, '');
      if (this.#greeted) this.#owner.closed(this);
    });
  }

  send(event: PageEvent): void {
    this.outbox.enqueue(packedEvent(event));
  }

  get slow(): boolean {
    return this.outbox.effectiveHz <= OUTBOX_LIMITS.hiddenHz;
  }

  offer(bytes: Uint8Array): boolean {
    return this.outbox.offer(bytes);
  }

  ping(): void {
    this.alive = false;
    if (this.#socket.readyState === this.#socket.OPEN) this.#socket.ping();
  }

  terminate(): void {
    this.#socket.terminate();
  }

  #received(data: Buffer, isBinary: boolean): void {
    if (this.outbox.closed) return;
    const message = isBinary ? this.#decoded(data) : failure(wireError('L2M_FRAME_MALFORMED', 'text'));
    if (!message.ok) this.#refuse(message.error, CLOSE_CODES.malformed);
    else if (message.value.type === 'hello') this.#greet(message.value);
    else if (this.#greeted) this.#requested(message.value);
    else this.#refuse(wireError('L2M_MESSAGE_UNEXPECTED', `${message.value.type} before hello`), CLOSE_CODES.malformed);
  }

  #decoded(data: Buffer): Result<PageRequest, WireError> {
    if (!this.#withinRate()) return failure(wireError('L2M_FRAME_TOO_LARGE', 'too many messages a second'));
    const frames = unpackFrames(data);
    if (!frames.ok) return frames;
    const decoded = decodePageRequest(frames.value);
    return decoded.ok ? success(decoded.value.message) : decoded;
  }

  #greet(hello: Extract<PageRequest, { type: 'hello' }>): void {
    const { major, minor } = hello.protocol;
    const role = roleOfToken(this.#owner.tokens, hello.token);
    if (this.#greeted) {
      this.#refuse(wireError('L2M_MESSAGE_UNEXPECTED', 'a second hello'), CLOSE_CODES.malformed);
    } else if (!versionAccepted(hello.protocol)) {
      this.#refuse(wireError('L2M_VERSION_REFUSED', `page ${major}.${minor}`), CLOSE_CODES.versionRefused);
    } else if (role === null) {
      const got = hello.token === undefined ? 'no token' : 'an unknown token';
      this.#refuse(wireError('L2M_TOKEN_REFUSED', got), CLOSE_CODES.tokenRefused);
    } else {
      this.#admit(role);
    }
  }

  #admit(role: PageRole): void {
    clearTimeout(this.#helloTimer);
    this.#greeted = true;
    this.role = role;
    this.send({ type: 'welcome', protocol: PROTOCOL_VERSION, serverId: this.#owner.serverId, role });
    this.#owner.opened(this);
  }

  #requested(message: Exclude<PageRequest, { type: 'hello' }>): void {
    switch (message.type) {
      case 'acknowledge': {
        const before = this.outbox.effectiveHz;
        this.outbox.acknowledge(message.frame, message.visible);
        if (this.outbox.effectiveHz !== before) this.#owner.rateChanged();
        break;
      }
      case 'subscribe': {
        this.outbox.subscribe(message.framesHz, message.contacts);
        this.#owner.rateChanged();
        break;
      }
      case 'echo': {
        this.send({ type: 'echoed', stamp: message.stamp, skippedFrames: this.outbox.skippedFrames });
        break;
      }
      case 'control': {
        this.#owner.control(this, message);
        break;
      }
      case 'watch-policy': {
        this.#owner.watchPolicy(this, message);
        break;
      }
      case 'acknowledge-policy': {
        this.#owner.policySeen(this, message.number);
        break;
      }
      case 'control-seat':
      case 'control-simulation':
      case 'teleoperate':
      case 'drag': {
        this.#owner.handled(this, message);
        break;
      }
    }
  }

  #refuse(error: WireError, code: number): void {
    this.send({ type: 'refused', ...error });
    this.outbox.close(code, error.code);
  }

  #withinRate(): boolean {
    const now = performance.now();
    if (now - this.#windowStartedAt >= 1000) {
      this.#windowStartedAt = now;
      this.#messagesInWindow = 0;
    }
    return ++this.#messagesInWindow <= MOST_MESSAGES_A_SECOND;
  }

  /** A peer that does not read never answers the closing handshake either. */
  #shut(code: number, reason: string): void {
    this.#socket.close(code, reason);
    setTimeout(() => this.#socket.terminate(), 1000).unref();
  }
}

export function packedEvent(event: PageEvent): Uint8Array {
  return packFrames(encodeMessage(event));
}
