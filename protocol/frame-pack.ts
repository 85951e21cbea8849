import type { WireError } from './error-codes.ts';
import { frameError } from './frame-errors.ts';
import { WIRE_LIMITS } from './limits.ts';
import { failure, success, type Result } from './result.ts';

const ALIGNMENT = 8;
const WORD = 4;

/**
 * Joins the frames of one message for a transport without multipart messages (WebSocket).
 * Layout, little-endian: u32 count, u32 length of each frame, then each frame at the next multiple of 8 bytes from the
 * start, padded with zeros to a multiple of 8 at the end, so that a receiver can view every tensor in place.
 */
export function packFrames(frames: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  let total = tableBytes(frames.length);
  for (const frame of frames) total += aligned(frame.byteLength);
  const packed = new Uint8Array(total);
  const view = new DataView(packed.buffer);
  view.setUint32(0, frames.length, true);
  let offset = tableBytes(frames.length);
  for (const [index, frame] of frames.entries()) {
    view.setUint32(WORD * (index + 1), frame.byteLength, true);
    packed.set(frame, offset);
    offset += aligned(frame.byteLength);
  }
  return packed;
}

/** Views of the frames that `packFrames` joined; nothing is copied. Never throws. */
export function unpackFrames(bytes: Uint8Array): Result<Uint8Array[], WireError> {
  const size = bytes.byteLength;
  if (size > WIRE_LIMITS.messageBytes) return tooLarge(`${size} bytes of at most ${WIRE_LIMITS.messageBytes}`);
  if (size < WORD) return malformed(`${size} bytes are too few for a frame count`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, size);
  const count = view.getUint32(0, true);
  if (count > WIRE_LIMITS.frameCount) return tooLarge(`${count} frames of at most ${WIRE_LIMITS.frameCount}`);
  let offset = tableBytes(count);
  if (offset > size) return malformed(`${size} bytes are too few for the lengths of ${count} frames`);
  const frames: Uint8Array[] = [];
  for (let index = 0; index < count; index++) {
    const length = view.getUint32(WORD * (index + 1), true);
    if (aligned(length) > size - offset) {
      return malformed(`frame ${index} declares ${length} bytes, ${size - offset} are left`);
    }
    frames.push(bytes.subarray(offset, offset + length));
    offset += aligned(length);
  }
  if (offset !== size) return malformed(`${size - offset} bytes after the last frame`);
  return success(frames);
}

function tableBytes(count: number): number {
  return aligned(WORD * (count + 1));
}

function aligned(length: number): number {
  return Math.ceil(length / ALIGNMENT) * ALIGNMENT;
}

function malformed(got: string): Result<Uint8Array[], WireError> {
  return failure(frameError('L2M_FRAME_MALFORMED', got));
}

function tooLarge(got: string): Result<Uint8Array[], WireError> {
  return failure(frameError('L2M_FRAME_TOO_LARGE', got));
}
