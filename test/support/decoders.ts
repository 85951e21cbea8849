import {
  decodePageEvent,
  decodePageRequest,
  decodeServerMessage,
  decodeWorkerMessage,
  type Decoded,
  type WireMessage,
} from '../../protocol/codec.ts';
import type { WireError } from '../../protocol/error-codes.ts';
import type { Result } from '../../protocol/result.ts';
import type { Direction } from './golden-message.ts';

type Decoder = (frames: readonly Uint8Array[]) => Result<Decoded<WireMessage>, WireError>;

export const DECODERS: Readonly<Record<Direction, Decoder>> = {
  worker: decodeWorkerMessage,
  server: decodeServerMessage,
  pageEvent: decodePageEvent,
  pageRequest: decodePageRequest,
};
