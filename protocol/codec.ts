import { Packr, Unpackr } from 'msgpackr';
import { PageEventSchema, PageRequestSchema, type PageEvent, type PageRequest } from './dashboard-messages.ts';
import type { WireError } from './error-codes.ts';
import { frameError, type FrameErrorCode } from './frame-errors.ts';
import { scanHeader, type HeaderLimits } from './header-scan.ts';
import { WIRE_LIMITS } from './limits.ts';
import { messageChecks, type MessageChecks } from './message-checks.ts';
import { failure, success, type Result } from './result.ts';
import {
  ServerMessageSchema,
  WorkerMessageSchema,
  type ServerMessage,
  type WorkerMessage,
} from './simulator-messages.ts';
import { TENSOR_LAYOUTS, tensorFault } from './tensor-layouts.ts';

export { packFrames, unpackFrames } from './frame-pack.ts';

export type WireMessage = WorkerMessage | ServerMessage | PageEvent | PageRequest;

export interface Decoded<Message> {
  readonly message: Message;
  /** The tensor frames, as they arrived; read them with `tensorView`. */
  readonly frames: readonly Uint8Array[];
}

const packr = new Packr({ useRecords: false, moreTypes: false, structuredClone: false, variableMapSize: true });
const unpackr = new Unpackr({
  useRecords: false,
  moreTypes: false,
  structuredClone: false,
  mapsAsObjects: true,
  int64AsType: 'number',
});

interface Direction {
  readonly checks: MessageChecks;
  readonly headerBytes: number;
  readonly scan: HeaderLimits;
}

const narrow = {
  headerBytes: WIRE_LIMITS.headerBytes,
  scan: { depth: WIRE_LIMITS.headerDepth, items: WIRE_LIMITS.headerItems },
};
const wide = {
  headerBytes: WIRE_LIMITS.pageHeaderBytes,
  scan: { depth: WIRE_LIMITS.headerDepth, items: WIRE_LIMITS.pageHeaderItems },
};
// Marked, so that a program that uses only some directions is bundled without the others.
const WORKER = /* @__PURE__ */ direction(narrow, () => messageChecks(WorkerMessageSchema.anyOf, TENSOR_LAYOUTS.worker));
const SERVER = /* @__PURE__ */ direction(narrow, () => messageChecks(ServerMessageSchema.anyOf, TENSOR_LAYOUTS.server));
const PAGE_EVENT = /* @__PURE__ */ direction(wide, () =>
  messageChecks(PageEventSchema.anyOf, TENSOR_LAYOUTS.pageEvent),
);
const PAGE_REQUEST = /* @__PURE__ */ direction(narrow, () =>
  messageChecks(PageRequestSchema.anyOf, TENSOR_LAYOUTS.pageRequest),
);

function direction(limits: Omit<Direction, 'checks'>, checks: () => MessageChecks): Direction {
  return { ...limits, checks: checks() };
}

/**
 * The frames of a message: its MessagePack header, then `tensorFrames` (not copied) as `TensorFrames` collected them.
 * The message is not validated: its type is checked by the compiler and its builders by tests, the receiver checks again.
 */
export function encodeMessage(message: WireMessage, tensorFrames: readonly Uint8Array[] = []): Uint8Array[] {
  return [packr.encode(message), ...tensorFrames];
}

/** What a worker sent. Never throws: foreign bytes give a message that fits its schema, or an error for the peer. */
export function decodeWorkerMessage(frames: readonly Uint8Array[]): Result<Decoded<WorkerMessage>, WireError> {
  return decode(frames, WORKER) as Result<Decoded<WorkerMessage>, WireError>;
}

/** What the server sent to a worker. */
export function decodeServerMessage(frames: readonly Uint8Array[]): Result<Decoded<ServerMessage>, WireError> {
  return decode(frames, SERVER) as Result<Decoded<ServerMessage>, WireError>;
}

/** What the server sent to a page. Larger headers are allowed than in the other directions. */
export function decodePageEvent(frames: readonly Uint8Array[]): Result<Decoded<PageEvent>, WireError> {
  return decode(frames, PAGE_EVENT) as Result<Decoded<PageEvent>, WireError>;
}

/** What a page sent. */
export function decodePageRequest(frames: readonly Uint8Array[]): Result<Decoded<PageRequest>, WireError> {
  return decode(frames, PAGE_REQUEST) as Result<Decoded<PageRequest>, WireError>;
}

/** Sizes, then the structure of the header, then its schema, then the tensors: each step relies on the ones before. */
function decode(frames: readonly Uint8Array[], direction: Direction): Result<Decoded<unknown>, WireError> {
  const [header, ...tensorFrames] = frames;
  if (header === undefined) return refused('L2M_FRAME_MALFORMED', 'no frames');
  const sizeFault = oversize(frames, direction.headerBytes);
  if (sizeFault !== undefined) return refused('L2M_FRAME_TOO_LARGE', sizeFault);

  const scanFault = scanHeader(header, direction.scan);
  if (scanFault !== undefined) return refused(scanFault.code, scanFault.got);

  const message = unpackr.decode(header) as Readonly<Record<string, unknown>>;
  const check = direction.checks.find(message['type']);
  if (check === undefined) return refused('L2M_MESSAGE_INVALID', direction.checks.unknownType(message['type']));
  const schemaFault = check.fault(message);
  if (schemaFault !== undefined) return refused('L2M_MESSAGE_INVALID', schemaFault);

  const mismatch = tensorFault(message, tensorFrames, check.layout);
  if (mismatch !== undefined) return refused('L2M_TENSOR_MISMATCH', `${check.type}.${mismatch}`);
  return success({ message, frames: tensorFrames });
}

function oversize(frames: readonly Uint8Array[], headerBytes: number): string | undefined {
  if (frames.length > WIRE_LIMITS.frameCount) return `${frames.length} frames of at most ${WIRE_LIMITS.frameCount}`;
  const header = frames[0]?.byteLength ?? 0;
  if (header > headerBytes) return `a header of ${header} bytes of at most ${headerBytes}`;
  let total = 0;
  for (const frame of frames) total += frame.byteLength;
  if (total > WIRE_LIMITS.messageBytes) return `${total} bytes of at most ${WIRE_LIMITS.messageBytes}`;
  return undefined;
}

function refused(code: FrameErrorCode, got: string): Result<never, WireError> {
  return failure(frameError(code, got));
}
