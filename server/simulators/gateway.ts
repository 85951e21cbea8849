import { Router } from 'zeromq';
import { decodeWorkerMessage, encodeMessage } from '../../protocol/codec.ts';
import { wireError, type WireError } from '../../protocol/error-codes.ts';
import { WIRE_LIMITS } from '../../protocol/limits.ts';
import type { ServerMessage, WorkerMessage } from '../../protocol/simulator-messages.ts';
import { PROTOCOL_VERSION } from '../../protocol/version.ts';
import type { CurveServer } from './curve.ts';
import { SendQueue } from './send-queue.ts';

/** What the gateway tells its owner. `peer` is the routing identity, unique among the connected workers. */
export interface GatewayEvents {
  readonly message: (peer: string, message: WorkerMessage, frames: readonly Uint8Array[]) => void;
  /** The peer sent bytes that are no message. It has been told so; the owner decides whether to keep it. */
  readonly garbage: (peer: string, error: WireError) => void;
  /** The peer cannot be reached any more. */
  readonly unreachable: (peer: string) => void;
}

export interface GatewayOptions {
  /** ZeroMQ address to bind; `tcp://127.0.0.1:*` picks a free port. */
  readonly endpoint: string;
  readonly curve: CurveServer | undefined;
  /** Messages waiting for the socket; a worker that reads nothing is given up, it never holds the others. */
  readonly sendQueueLimit?: number;
}

export interface Gateway {
  readonly endpoint: string;
  send(peer: string, message: ServerMessage, frames?: readonly Uint8Array[]): void;
  queueDepth(): number;
  close(): Promise<void>;
}

/** The one ROUTER socket that all simulator workers talk to: one receive loop, one send loop. */
export async function openGateway(events: GatewayEvents, options: GatewayOptions): Promise<Gateway> {
  const socket = new Router({
    linger: 0,
    mandatory: true,
    handover: true,
    sendHighWaterMark: 1000,
    receiveHighWaterMark: 1000,
    maxMessageSize: WIRE_LIMITS.messageBytes,
    heartbeatInterval: 1000,
    heartbeatTimeToLive: 5000,
    heartbeatTimeout: 5000,
    backlog: 64,
    ...(options.curve?.socketOptions ?? {}),
  });
  await socket.bind(options.endpoint);
  const queue = new SendQueue(socket, options.sendQueueLimit ?? 4096, events.unreachable);
  const receiving = receiveAll(socket, events, queue);
  return {
    endpoint: socket.lastEndpoint ?? options.endpoint,
    send: (peer, message, frames = []) => queue.push(peer, encodeMessage(message, frames)),
    queueDepth: () => queue.depth,
    close: async () => {
      await queue.drain(500);
      socket.close();
      await receiving;
    },
  };
}

async function receiveAll(socket: Router, events: GatewayEvents, queue: SendQueue): Promise<void> {
  for await (const [identity, ...frames] of socket) {
    if (identity === undefined) continue;
    const peer = identity.toString('latin1');
    const decoded = decodeWorkerMessage(frames);
    if (decoded.ok) {
      events.message(peer, decoded.value.message, decoded.value.frames);
    } else {
      queue.push(peer, encodeMessage({ type: 'refused', ...decoded.error }));
      events.garbage(peer, decoded.error);
    }
  }
}

/** The refusal of a peer whose protocol version does not fit. */
export function versionRefusal(theirs: string): Extract<ServerMessage, { type: 'refused' }> {
  const ours = `${PROTOCOL_VERSION.major}.${PROTOCOL_VERSION.minor}`;
  const error = wireError('L2M_VERSION_REFUSED', `it speaks ${theirs}, this server ${ours}`);
  return { type: 'refused', ...error };
}
