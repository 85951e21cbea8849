import { describe, expect, it } from 'vitest';
import { WIRE_LIMITS } from '../../../../protocol/limits.ts';
import {
  afterSign,
  FREE_SEAT,
  isStealable,
  seatAfter,
  withoutPage,
  type Seat,
} from '../../../../server/control/seat.ts';

const [FIRST, SECOND, THIRD] = [11, 12, 13];
const SILENT = WIRE_LIMITS.controlSilenceMs;

type Action = 'request' | 'release' | 'grant' | 'steal';

function asked(...[seat, page, action, nowMs = 0]: [Seat, number, Action, number?]): Seat {
  const outcome = seatAfter(seat, { page, action, nowMs });
  if (!outcome.ok) throw new Error(outcome.error.code);
  return outcome.value;
}

function refused(...[seat, page, action, nowMs = 0]: [Seat, number, Action, number?]): string {
  const outcome = seatAfter(seat, { page, action, nowMs });
  return outcome.ok ? 'granted' : outcome.error.code;
}

describe('the seat of the controller', () => {
  it('is taken by the first who asks; others wait in order', () => {
    let seat = asked(FREE_SEAT, FIRST, 'request', 5);
    expect(seat).toEqual({ holder: FIRST, sinceMs: 5, waiting: [] });
    for (const page of [SECOND, THIRD, SECOND]) seat = asked(seat, page, 'request');
    expect(seat.waiting).toEqual([SECOND, THIRD]);
    seat = asked(seat, FIRST, 'release', 9);
    expect(seat).toEqual({ holder: SECOND, sinceMs: 9, waiting: [THIRD] });
  });

  it('is granted by the one who has it alone, to whoever has waited for longest', () => {
    const seat = asked(asked(asked(FREE_SEAT, FIRST, 'request'), SECOND, 'request'), THIRD, 'request');
    expect(refused(seat, SECOND, 'grant')).toBe('L2M_CONTROL_NEEDED');
    expect(asked(seat, FIRST, 'grant')).toMatchObject({ holder: SECOND, waiting: [THIRD] });
    const alone = asked(FREE_SEAT, FIRST, 'request');
    expect(asked(alone, FIRST, 'grant').holder).toBe(FIRST);
  });

  it('can be stolen after silence and not before', () => {
    let seat = asked(FREE_SEAT, FIRST, 'request', 0);
    seat = afterSign(seat, FIRST, 1000);
    expect(isStealable(seat, 1000 + SILENT - 1)).toBe(false);
    expect(refused(seat, SECOND, 'steal', 1000 + SILENT - 1)).toBe('L2M_CONTROL_HELD');
    expect(isStealable(seat, 1000 + SILENT)).toBe(true);
    expect(asked(seat, SECOND, 'steal', 1000 + SILENT)).toMatchObject({ holder: SECOND });
  });

  it('ignores signs of pages that do not have it', () => {
    const seat = asked(FREE_SEAT, FIRST, 'request', 0);
    expect(afterSign(seat, SECOND, 500)).toBe(seat);
  });

  it('passes on when its page goes, and forgets who gave up waiting', () => {
    let seat = asked(asked(asked(FREE_SEAT, FIRST, 'request'), SECOND, 'request'), THIRD, 'request');
    seat = withoutPage(seat, SECOND, 1);
    expect(seat).toMatchObject({ holder: FIRST, waiting: [THIRD] });
    expect(withoutPage(seat, FIRST, 2)).toMatchObject({ holder: THIRD, waiting: [] });
    expect(withoutPage(seat, 99, 2)).toBe(seat);
  });

  it('lets no more than a few wait', () => {
    let seat = asked(FREE_SEAT, FIRST, 'request');
    for (let page = 100; page < 100 + WIRE_LIMITS.controlWaiting; page++) seat = asked(seat, page, 'request');
    expect(refused(seat, SECOND, 'request')).toBe('L2M_CONTROL_HELD');
  });
});
