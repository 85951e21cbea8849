import { describe, expect, test } from 'vitest';
import { blendPoses, PoseTrack } from '../../../../dashboards/scene/pose-track.ts';

const pose = (x: number, quaternion = [1, 0, 0, 0]): Float32Array => Float32Array.of(x, 0, 0, ...quaternion);
const frame = (episode: number, step: number, at: number) => ({ episode, step, at, poses: pose(step) });

describe('what is drawn between two pictures', () => {
  test('moves from the one before to the newest in the time between them', () => {
    const track = new PoseTrack();
    expect(track.at(0)).toBeNull();
    track.add(frame(1, 0, 1000));
    expect(track.at(1000)?.[0]).toBe(0);
    track.add(frame(1, 4, 1100));
    expect(track.at(1100)?.[0]).toBeCloseTo(0);
    expect(track.at(1150)?.[0]).toBeCloseTo(2);
    expect(track.moving(1150)).toBe(true);
    expect(track.at(1300)?.[0]).toBe(4);
    expect(track.moving(1300)).toBe(false);
  });

  test.each([
    ['another episode', 2, 1],
    ['an earlier step', 1, 2],
  ])('never crosses a reset: %s', (_, episode, step) => {
    const track = new PoseTrack();
    track.add(frame(1, 3, 1000));
    track.add(frame(1, 9, 1100));
    track.add(frame(episode, step, 1200));
    expect(track.at(1200)?.[0]).toBe(step);
    expect(track.moving(1200)).toBe(false);
  });

  test('a picture of the same step changes nothing', () => {
    const track = new PoseTrack();
    track.add(frame(1, 1, 1000));
    track.add(frame(1, 2, 1100));
    const { version } = track;
    track.add(frame(1, 2, 1140));
    expect(track.version).toBe(version);
    expect(track.at(1150)?.[0]).toBeCloseTo(1.5);
  });

  test('after a long silence it does not crawl', () => {
    const track = new PoseTrack();
    track.add(frame(1, 1, 1000));
    track.add(frame(1, 80, 9000));
    expect(track.at(9000)?.[0]).toBe(80);
  });

  test('the poses are copied', () => {
    const track = new PoseTrack();
    const first = frame(1, 1, 0);
    track.add(first);
    first.poses.fill(9);
    expect(track.at(0)?.[0]).toBe(1);
  });
});

test('turns go the shorter way and stay turns', () => {
  const half = Math.SQRT1_2;
  const out = new Float32Array(7);
  blendPoses(pose(0, [1, 0, 0, 0]), pose(1, [-half, 0, 0, -half]), { share: 0.5, out });
  const [w = 0, x = 0, y = 0, z = 0] = out.subarray(3);
  expect(Math.hypot(w, x, y, z)).toBeCloseTo(1, 6);
  // 45 degrees about z, whatever the sign.
  expect(Math.abs(w)).toBeCloseTo(Math.cos(Math.PI / 8), 6);
  expect(Math.abs(z)).toBeCloseTo(Math.sin(Math.PI / 8), 6);
  expect(Math.sign(w)).toBe(Math.sign(z));
});
