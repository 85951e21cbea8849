import { describe, expect, test } from 'vitest';
import { OUTBOX_LIMITS, PageOutbox, type PackedFrame, type PageSocket } from '../../../../server/live/page-outbox.ts';

/** A connection whose far end reads `drainPerMs` bytes a millisecond. */
class FakeSocket implements PageSocket {
  bufferedAmount = 0;
  readonly sent: Uint8Array[] = [];
  closedWith: number | null = null;

  send(bytes: Uint8Array): void {
    this.sent.push(bytes);
    this.bufferedAmount += bytes.byteLength;
  }

  close(code: number): void {
    this.closedWith = code;
  }

  drain(bytes: number): void {
    this.bufferedAmount = Math.max(0, this.bufferedAmount - bytes);
  }
}

const FRAME_BYTES = 20_000;

/** Runs a page for `milliseconds` at a 60 Hz tick while the picture changes all the time. */
function play(options: {
  milliseconds: number;
  hz?: number;
  drainPerMs?: number;
  acknowledge?: (frame: number) => { visible: boolean } | null;
}) {
  const socket = new FakeSocket();
  const outbox = new PageOutbox(socket);
  outbox.subscribe(options.hz ?? 30);
  let number = 0;
  const unacknowledged: number[] = [];
  const sentAt: number[] = [];
  for (let now = 0; now < options.milliseconds; now += 1000 / 60) {
    for (const frame of unacknowledged.splice(0)) {
      const answer = options.acknowledge?.(frame) ?? null;
      if (answer !== null) outbox.acknowledge(frame, answer.visible);
    }
    outbox.pump(now, number + 1, (): PackedFrame => {
      number++;
      unacknowledged.push(number);
      sentAt.push(now);
      return { frame: number, version: number, bytes: new Uint8Array(FRAME_BYTES) };
    });
    socket.drain((options.drainPerMs ?? 10_000) * (1000 / 60));
  }
  return { socket, outbox, sentAt };
}

describe('frames', () => {
  test('a page that keeps up gets the rate it asked for', () => {
    const { sentAt } = play({ milliseconds: 10_000, hz: 30, acknowledge: () => ({ visible: true }) });
    expect(sentAt.length).toBeGreaterThan(285);
    expect(sentAt.length).toBeLessThan(315);
  });

  test('a page that never acknowledges gets one frame in two seconds and counts as hidden', () => {
    const { sentAt, outbox } = play({ milliseconds: 10_000, hz: 60 });
    expect(sentAt.length).toBeLessThanOrEqual(5);
    expect(sentAt.length).toBeGreaterThanOrEqual(4);
    expect(outbox.effectiveHz).toBe(1);
  });

  test('a page that reads slowly is sent no more than it reads', () => {
    const drainPerMs = 10; // 10 KB a second
    const { socket, sentAt } = play({ milliseconds: 20_000, drainPerMs, acknowledge: () => ({ visible: true }) });
    expect(socket.bufferedAmount).toBeLessThanOrEqual(OUTBOX_LIMITS.socketBytesForFrame + FRAME_BYTES);
    expect(sentAt.length * FRAME_BYTES).toBeLessThanOrEqual(20_000 * drainPerMs + 100_000);
  });

  test('a hidden page gets one frame a second, and its full rate again when it shows', () => {
    const hidden = play({ milliseconds: 10_000, hz: 30, acknowledge: () => ({ visible: false }) });
    expect(hidden.sentAt.length).toBeLessThanOrEqual(12);
    hidden.outbox.acknowledge(0, true);
    expect(hidden.outbox.effectiveHz).toBe(30);
  });

  test('nothing is sent while nothing changes', () => {
    const socket = new FakeSocket();
    const outbox = new PageOutbox(socket);
    outbox.subscribe(60);
    const frame = (): PackedFrame => ({ frame: 1, version: 5, bytes: new Uint8Array(8) });
    outbox.pump(0, 5, frame);
    outbox.acknowledge(1, true);
    outbox.pump(1000, 5, frame);
    expect(socket.sent).toHaveLength(1);
  });

  test('a rate of 0 stops the frames, not the events', () => {
    const { socket, outbox } = play({ milliseconds: 1000, hz: 0 });
    expect(socket.sent).toHaveLength(0);
    outbox.enqueue(new Uint8Array(1));
    expect(socket.sent).toHaveLength(1);
  });
});

describe('events', () => {
  test('arrive in order and before the next frame', () => {
    const socket = new FakeSocket();
    const outbox = new PageOutbox(socket);
    outbox.subscribe(60);
    socket.bufferedAmount = OUTBOX_LIMITS.socketBytes;
    outbox.enqueue(Uint8Array.of(1));
    outbox.enqueue(Uint8Array.of(2));
    outbox.pump(0, 1, () => ({ frame: 1, version: 1, bytes: Uint8Array.of(3) }));
    expect(socket.sent).toHaveLength(0);
    socket.bufferedAmount = 0;
    outbox.pump(100, 1, () => ({ frame: 1, version: 1, bytes: Uint8Array.of(3) }));
    expect(socket.sent.map((bytes) => bytes[0])).toEqual([1, 2, 3]);
  });

  test.each([
    ['too many', 1, OUTBOX_LIMITS.queuedEvents + 1],
    ['too large', 1024 * 1024, 5],
  ])('%s for a page that does not read: it is cut off with 4008 and nothing is kept', (_, size, count) => {
    const socket = new FakeSocket();
    const outbox = new PageOutbox(socket);
    socket.bufferedAmount = OUTBOX_LIMITS.socketBytes;
    for (let index = 0; index < count; index++) {
      expect(socket.closedWith).toBeNull();
      outbox.enqueue(new Uint8Array(size));
    }
    expect(socket.closedWith).toBe(4008);
    expect(outbox.closed).toBe(true);
    socket.bufferedAmount = 0;
    outbox.enqueue(new Uint8Array(size));
    outbox.pump(0, 1, () => ({ frame: 1, version: 1, bytes: new Uint8Array(1) }));
    expect(socket.sent).toHaveLength(0);
  });
});
