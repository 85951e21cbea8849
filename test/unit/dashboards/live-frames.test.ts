import { expect, test } from 'vitest';
import { decodePageEvent, unpackFrames } from '../../../protocol/codec.ts';
import { packedFrames } from '../../../server/live/frames-message.ts';
import { PageState } from '../../../server/live/page-state.ts';
import { LiveFrames } from '../../../dashboards/live-frames.ts';
import { environmentView, stepView } from '../server/live/samples.ts';

/** What the server packs is what the page reads: both ends of the real wire. */
function deliver(state: PageState, live: LiveFrames, now: number): void {
  const frames = unpackFrames(packedFrames(state, 1));
  const decoded = frames.ok ? decodePageEvent(frames.value) : frames;
  if (!decoded.ok || decoded.value.message.type !== 'frames') throw new Error('no frames');
  live.apply(decoded.value.message, decoded.value.frames, now);
}

test('numbers, curves and poses reach the right environment', () => {
  const state = new PageState();
  const live = new LiveFrames();
  state.episodeStarted(environmentView('w:0'));
  state.episodeStarted(environmentView('w:1', { episode: 2 }));
  state.poses('w:0', new Float32Array(14).fill(1));
  state.poses('w:1', new Float32Array(7).fill(2));
  for (let step = 1; step <= 3; step++) {
    state.step('w:0', stepView(step));
    state.step('w:1', stepView(10 * step, { episode: 2, flags: step === 3 ? 4 : 0, selection: 7 }));
    deliver(state, live, 100 * step);
  }
  const [first, second] = [live.environments.get('w:0'), live.environments.get('w:1')];
  expect(first?.numbers).toMatchObject({ step: 3, success: false, selection: -1 });
  expect(second?.numbers).toMatchObject({ step: 30, success: true, selection: 7 });
  expect([...first!.curve.steps.subarray(0, first!.curve.length)]).toEqual([1, 2, 3]);
  expect(first?.poses.at(1000)).toHaveLength(14);
  expect([...second!.poses.at(1000)!]).toEqual(new Array(7).fill(2));
});

test('contacts reach the environment that they are of, and go when nobody asks for them', () => {
  const state = new PageState();
  const live = new LiveFrames();
  state.episodeStarted(environmentView('w:0'));
  state.episodeStarted(environmentView('w:1', { episode: 2 }));
  state.poses('w:0', new Float32Array(14));
  state.poses('w:1', new Float32Array(7), new Float32Array(22).fill(3));
  deliver(state, live, 1);
  expect(live.environments.get('w:0')?.contacts).toHaveLength(0);
  expect([...live.environments.get('w:1')!.contacts]).toEqual(new Array(22).fill(3));
  state.poses('w:1', new Float32Array(7), new Float32Array(21));
  deliver(state, live, 2);
  expect(live.environments.get('w:1')?.contacts).toHaveLength(0);
});

test('a new episode begins a new curve; an environment that is gone is forgotten', () => {
  const state = new PageState();
  const live = new LiveFrames();
  state.episodeStarted(environmentView('w:0'));
  state.step('w:0', stepView(400));
  deliver(state, live, 0);
  state.episodeStarted(environmentView('w:0', { episode: 2 }));
  state.step('w:0', stepView(1, { episode: 2 }));
  deliver(state, live, 100);
  const curve = live.environments.get('w:0')?.curve;
  expect(curve?.length).toBe(1);
  expect(curve?.steps[0]).toBe(1);
  state.environmentClosed('w:0');
  deliver(state, live, 200);
  expect(live.environments.size).toBe(0);
});
