import type { Router } from 'zeromq';

interface Outgoing {
  readonly peer: string;
  readonly frames: readonly Uint8Array[];
}

/**
 * The one send loop of a ROUTER socket: a second concurrent `send` would be rejected by ZeroMQ.
 * Bounded: when `limit` messages wait, the newest is refused and its peer reported as unreachable.
 */
export class SendQueue {
  readonly #waiting: Outgoing[] = [];
  #sending: Promise<void> | undefined;
  readonly #socket: Router;
  readonly #limit: number;
  readonly #unreachable: (peer: string) => void;

  constructor(socket: Router, limit: number, unreachable: (peer: string) => void) {
    this.#socket = socket;
    this.#limit = limit;
    this.#unreachable = unreachable;
  }

  get depth(): number {
    return this.#waiting.length;
  }

  push(peer: string, frames: readonly Uint8Array[]): void {
    if (this.#waiting.length >= this.#limit) {
      this.#unreachable(peer);
      return;
    }
    this.#waiting.push({ peer, frames });
    this.#sending ??= this.#sendAll().finally(() => (this.#sending = undefined));
  }

  /** Waits until everything is handed to the socket, but at most `deadlineMs`. */
  async drain(deadlineMs: number): Promise<void> {
    if (this.#sending === undefined) return;
    const deadline = new Promise<void>((resolve) => setTimeout(resolve, deadlineMs).unref());
    await Promise.race([this.#sending, deadline]);
  }

  async #sendAll(): Promise<void> {
    for (let next = this.#waiting.shift(); next !== undefined; next = this.#waiting.shift()) {
      try {
        await this.#socket.send([Buffer.from(next.peer, 'latin1'), ...next.frames]);
      } catch {
        // EHOSTUNREACH: the peer left; closed socket: everybody did. Either way the owner's deadlines clean up.
        if (!this.#socket.closed) this.#unreachable(next.peer);
      }
    }
  }
}
