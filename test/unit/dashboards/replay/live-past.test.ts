import { describe, expect, test } from 'vitest';
import { LiveFrames } from '../../../../dashboards/live-frames.ts';
import { LivePast, type PastPicture } from '../../../../dashboards/replay/live-past.ts';
import { decodePageEvent, unpackFrames } from '../../../../protocol/codec.ts';
import { packedFrames } from '../../../../server/live/frames-message.ts';
import { PageState } from '../../../../server/live/page-state.ts';
import { environmentView, stepView } from '../../server/live/samples.ts';

function picture(step: number, rows = 2): PastPicture {
  return { episode: 1, step, at: step, reward: 0, return: 0, poses: new Float32Array(7 * rows).fill(step) };
}

describe('the past of a live environment', () => {
  test('is not shown until a person looks back, and then stays while newer pictures come', () => {
    const past = new LivePast();
    for (let step = 0; step < 10; step++) past.add(picture(step), 100);
    expect([past.newest, past.at()]).toEqual([null, null]);
    past.look(4);
    const { version } = past;
    for (let step = 10; step < 20; step++) past.add(picture(step), 100);
    expect(past.newest?.step).toBe(4);
    expect([...past.at()!]).toEqual(new Array(14).fill(4));
    expect(past.version).toBe(version);
    past.lookBy(-2);
    expect(past.newest?.step).toBe(2);
    expect(past.version).not.toBe(version);
    past.live();
    expect(past.newest).toBeNull();
  });

  test('keeps as many pictures as it may; what has gone is shown as the oldest that is there', () => {
    const past = new LivePast();
    for (let step = 0; step < 5; step++) past.add(picture(step), 5);
    past.look(1);
    const { version } = past;
    for (let step = 5; step < 8; step++) past.add(picture(step), 5);
    expect([past.first, past.last]).toEqual([3, 7]);
    expect(past.newest?.step).toBe(3);
    expect(past.version).not.toBe(version);
    past.add(picture(8), 2);
    expect([past.first, past.last]).toEqual([7, 8]);
  });

  test('beyond the newest is live; before the oldest is the oldest', () => {
    const past = new LivePast();
    for (let step = 0; step < 5; step++) past.add(picture(step), 3);
    past.look(-9);
    expect(past.looking.value).toBe(2);
    past.lookBy(2);
    expect(past.looking.value).toBe(4);
    past.lookBy(1);
    expect(past.looking.value).toBeNull();
    past.lookBy(-1);
    expect(past.newest?.step).toBe(3);
  });

  test('ends where the scene changes', () => {
    const past = new LivePast();
    for (let step = 0; step < 5; step++) past.add(picture(step), 9);
    past.look(2);
    past.add(picture(5, 3), 9);
    expect(past.looking.value).toBeNull();
    expect([past.first, past.last]).toEqual([5, 5]);
  });
});

test('all environments of a page together keep no more than a set number of bytes', () => {
  const state = new PageState();
  const live = new LiveFrames();
  const rows = 600;
  const count = 40;
  for (let index = 0; index < count; index++) state.episodeStarted(environmentView(`w:${index}`));
  for (let step = 1; step <= 150; step++) {
    for (let index = 0; index < count; index++) {
      state.step(`w:${index}`, stepView(step));
      state.poses(`w:${index}`, new Float32Array(rows * 7).fill(step));
    }
    const frames = unpackFrames(packedFrames(state, step));
    const decoded = frames.ok ? decodePageEvent(frames.value) : frames;
    if (!decoded.ok || decoded.value.message.type !== 'frames') throw new Error('no frames');
    live.apply(decoded.value.message, decoded.value.frames, step);
  }
  const kept = [...live.environments.values()].reduce((sum, { past }) => sum + past.last - past.first + 1, 0);
  expect(kept * rows * 28).toBeLessThanOrEqual(48 * 1024 * 1024);
  expect(kept).toBeGreaterThan(count * 50);
  const past = live.environments.get('w:3')!.past;
  past.look(past.last - 3);
  expect(past.newest).toMatchObject({ episode: 1, step: 147, return: 147 });
  live.sceneChanged('w:3');
  expect(past.newest).toBeNull();
});
