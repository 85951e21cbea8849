import type { ControlSeatRequest } from '../../protocol/control-messages.ts';
import { wireError, type WireError } from '../../protocol/error-codes.ts';
import { WIRE_LIMITS } from '../../protocol/limits.ts';
import { failure, success, type Result } from '../../protocol/result.ts';

/** Who controls: at most one page; and who would like to, longest first. Pages are numbers that are never used twice. */
export interface Seat {
  readonly holder: number | null;
  /** When the holder last did something, or when the seat became free (milliseconds). */
  readonly sinceMs: number;
  readonly waiting: readonly number[];
}

export const FREE_SEAT: Seat = { holder: null, sinceMs: 0, waiting: [] };

export interface SeatRequest {
  readonly page: number;
  readonly action: ControlSeatRequest['action'];
  readonly nowMs: number;
}

/**
 * The seat after what a page asked for. Errors: L2M_CONTROL_HELD (a theft too early, too many who wait),
 * L2M_CONTROL_NEEDED (granting what one does not have).
 */
export function seatAfter(seat: Seat, request: SeatRequest): Result<Seat, WireError> {
  switch (request.action) {
    case 'request':
      return afterRequest(seat, request);
    case 'release':
      return success(withoutPage(seat, request.page, request.nowMs));
    case 'grant':
      return afterGrant(seat, request);
    case 'steal':
      return afterTheft(seat, request);
  }
}

/** The page that controls has done something. */
export function afterSign(seat: Seat, page: number, nowMs: number): Seat {
  return seat.holder === page ? { ...seat, sinceMs: nowMs } : seat;
}

/** The page has gone, released the seat, or does not want it any more. Whoever waited for longest follows. */
export function withoutPage(seat: Seat, page: number, nowMs: number): Seat {
  const waiting = seat.waiting.filter((each) => each !== page);
  if (seat.holder !== page) return waiting.length === seat.waiting.length ? seat : { ...seat, waiting };
  const [next = null, ...others] = waiting;
  return { holder: next, sinceMs: nowMs, waiting: others };
}

/** Whether another page may take the seat without being asked. */
export function isStealable(seat: Seat, nowMs: number): boolean {
  return seat.holder !== null && nowMs - seat.sinceMs >= WIRE_LIMITS.controlSilenceMs;
}

function afterRequest(seat: Seat, { page, nowMs }: SeatRequest): Result<Seat, WireError> {
  if (seat.holder === page) return success(afterSign(seat, page, nowMs));
  if (seat.holder === null) return success(taken(seat, page, nowMs));
  if (seat.waiting.includes(page)) return success(seat);
  if (seat.waiting.length >= WIRE_LIMITS.controlWaiting) {
    return failure(wireError('L2M_CONTROL_HELD', `${seat.waiting.length} pages wait for it already`));
  }
  return success({ ...seat, waiting: [...seat.waiting, page] });
}

function afterGrant(seat: Seat, { page, nowMs }: SeatRequest): Result<Seat, WireError> {
  if (seat.holder !== page) return failure(wireError('L2M_CONTROL_NEEDED', 'it granted what it does not have'));
  return success(seat.waiting.length === 0 ? afterSign(seat, page, nowMs) : withoutPage(seat, page, nowMs));
}

function afterTheft(seat: Seat, { page, nowMs }: SeatRequest): Result<Seat, WireError> {
  if (seat.holder === null || seat.holder === page || isStealable(seat, nowMs)) {
    return success(taken(seat, page, nowMs));
  }
  const seconds = Math.round((nowMs - seat.sinceMs) / 1000);
  return failure(wireError('L2M_CONTROL_HELD', `it was last heard ${seconds} s ago`));
}

function taken(seat: Seat, page: number, nowMs: number): Seat {
  return { holder: page, sinceMs: nowMs, waiting: seat.waiting.filter((each) => each !== page) };
}
