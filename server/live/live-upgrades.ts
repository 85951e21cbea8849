import type { IncomingMessage, Server } from 'node:http';
import type { Duplex } from 'node:stream';
import { WebSocketServer, type WebSocket } from 'ws';
import { originAccepted } from './page-access.ts';
import { CLOSE_CODES } from './page-outbox.ts';

const LIVE_PATH = '/live';
const MAX_REQUEST_BYTES = 64 * 1024;

export interface LiveUpgradesOptions {
  /** Sockets at most, those included that are about to be told that there are too many. */
  readonly maxSockets: number;
  /** Host names, besides localhost and plain addresses, under which the page is served. */
  readonly allowedHosts: readonly string[];
  readonly connected: (socket: WebSocket) => void;
}

/** WebSocket upgrades of `/live` on any number of HTTP servers; whatever else asks for an upgrade is refused. */
export class LiveUpgrades {
  readonly #options: LiveUpgradesOptions;
  readonly #sockets = new WebSocketServer({ noServer: true, maxPayload: MAX_REQUEST_BYTES, perMessageDeflate: false });
  readonly #detachers: (() => void)[] = [];
  #closed = false;

  constructor(options: LiveUpgradesOptions) {
    this.#options = options;
  }

  attach(server: Server): void {
    const onUpgrade = (request: IncomingMessage, socket: Duplex, head: Buffer): void => {
      const refusal = this.#refusal(request);
      if (refusal !== null) {
        socket.end(`HTTP/1.1 ${refusal}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`);
        return;
      }
      this.#sockets.handleUpgrade(request, socket, head, (webSocket) => this.#options.connected(webSocket));
    };
    server.on('upgrade', onUpgrade);
    this.#detachers.push(() => server.off('upgrade', onUpgrade));
  }

  /** Accepts nothing from now on. */
  detach(): void {
    this.#closed = true;
    for (const detach of this.#detachers) detach();
  }

  /** Closes what is left of connections; resolves when all are gone. */
  close(): Promise<void> {
    for (const socket of this.#sockets.clients) socket.close(CLOSE_CODES.shuttingDown);
    return new Promise((resolve) => this.#sockets.close(() => resolve()));
  }

  #refusal(request: IncomingMessage): string | null {
    const path = (request.url ?? '').split('?', 1)[0];
    if (path !== LIVE_PATH) return '404 Not Found';
    if (this.#closed || this.#sockets.clients.size >= this.#options.maxSockets) return '503 Service Unavailable';
    return originAccepted(request, this.#options.allowedHosts) ? null : '403 Forbidden';
  }
}
