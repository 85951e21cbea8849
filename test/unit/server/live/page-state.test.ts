import { describe, expect, test } from 'vitest';
import type { WorkerView } from '../../../../protocol/dashboard-views.ts';
import { decodePageEvent, encodeMessage, unpackFrames } from '../../../../protocol/codec.ts';
import { tensorView } from '../../../../protocol/tensor.ts';
import { packedFrames } from '../../../../server/live/frames-message.ts';
import { PageState } from '../../../../server/live/page-state.ts';
import { environmentView, runSummary, stepView, taskScore } from './samples.ts';

function framesOf(state: PageState) {
  const frames = unpackFrames(packedFrames(state, 7));
  if (!frames.ok) throw new Error(frames.error.message);
  const decoded = decodePageEvent(frames.value);
  if (!decoded.ok) throw new Error(decoded.error.message);
  if (decoded.value.message.type !== 'frames') throw new Error('not frames');
  return { message: decoded.value.message, tensors: decoded.value.frames };
}

describe('frames message', () => {
  test('holds the newest step and poses of every environment', () => {
    const state = new PageState();
    state.episodeStarted(environmentView('w:0'));
    state.episodeStarted(environmentView('w:1', { episode: 2 }));
    state.step('w:0', stepView(1));
    state.step('w:0', stepView(2, { selection: 5, similarity: 0.5, flags: 4 }));
    state.poses(
      'w:1',
      Float32Array.from({ length: 14 }, (_, index) => index),
    );
    const { message, tensors } = framesOf(state);
    expect(message.keys).toEqual(['w:0', 'w:1']);
    expect([...tensorView(message.episodes, tensors, 'uint32')]).toEqual([1, 2]);
    expect([...tensorView(message.steps, tensors, 'uint32')]).toEqual([2, 0]);
    expect([...tensorView(message.selections, tensors, 'int32')]).toEqual([5, -1]);
    expect([...tensorView(message.flags, tensors, 'uint8')]).toEqual([4, 0]);
    expect([...tensorView(message.poseCounts, tensors, 'uint16')]).toEqual([0, 2]);
    expect(message.poses.shape).toEqual([2, 7]);
    expect([...tensorView(message.poses, tensors, 'float32')]).toEqual(Array.from({ length: 14 }, (_, i) => i));
  });

  test('is valid with no environment at all', () => {
    expect(framesOf(new PageState()).message.keys).toEqual([]);
  });

  test('a late step of an earlier episode changes nothing', () => {
    const state = new PageState();
    state.episodeStarted(environmentView('w:0', { episode: 9 }));
    const { version } = state;
    state.step('w:0', stepView(3, { episode: 8 }));
    state.step('nobody', stepView(3));
    expect(state.version).toBe(version);
    expect(state.environments.get('w:0')?.step).toBe(0);
  });

  test('an episode with geometry of its own is shown with it, and the next one is not', () => {
    const state = new PageState();
    state.sceneReady('metaworld/reach-v3', 'of the task');
    state.episodeStarted(environmentView('w:0', { episode: 4, scene: '' }));
    expect(state.episodeScene(4, 'own')).toMatchObject({ key: 'w:0', episode: 4, scene: 'own' });
    expect(state.snapshot(1).environments[0]?.scene).toBe('own');
    expect(state.episodeScene(3, 'late')).toBeNull();
    expect(state.episodeStarted(environmentView('w:0', { episode: 5, scene: '' }))?.scene).toBe('of the task');
  });

  test('a new episode does not show the poses of the one before', () => {
    const state = new PageState();
    state.episodeStarted(environmentView('w:0'));
    state.poses('w:0', new Float32Array(14));
    state.episodeStarted(environmentView('w:0', { episode: 2 }));
    expect([...tensorView(framesOf(state).message.poseCounts, framesOf(state).tensors, 'uint16')]).toEqual([0]);
  });

  test('poses are copied', () => {
    const state = new PageState();
    state.episodeStarted(environmentView('w:0'));
    const poses = new Float32Array(7).fill(1);
    state.poses('w:0', poses);
    poses.fill(2);
    expect(state.environments.get('w:0')?.poses[0]).toBe(1);
  });
});

describe('environments', () => {
  const worker = (name: string, state: WorkerView['state']): WorkerView => ({
    worker: name,
    state,
    processId: 1,
    environments: 2,
    stepsPerSecond: 0,
    restarts: 0,
    message: '',
  });

  test('go with their worker', () => {
    const state = new PageState();
    for (const key of ['a:0', 'b:0', 'c:0']) state.episodeStarted(environmentView(key));
    state.workersUpdated([worker('a', 'ready'), worker('b', 'lost')]);
    expect([...state.environments.keys()]).toEqual(['a:0']);
  });

  test('of a run that is over stay until another run starts', () => {
    const state = new PageState();
    state.runUpdated(runSummary('run-1'));
    for (const key of ['a:0', 'a:1']) state.episodeStarted(environmentView(key));
    state.runUpdated(runSummary('run-1', { state: 'finished' }));
    expect(state.environments.size).toBe(2);
    state.runUpdated(runSummary('run-2'));
    state.episodeStarted(environmentView('a:0', { run: 'run-2', episode: 9 }));
    expect([...state.environments.keys()]).toEqual(['a:0']);
  });

  test('get the geometry of their task whenever it comes', () => {
    const state = new PageState();
    state.episodeStarted(environmentView('a:0'));
    expect(state.sceneReady('metaworld/reach-v3', 'abc').map((view) => view.scene)).toEqual(['abc']);
    expect(state.sceneReady('metaworld/reach-v3', 'abc')).toEqual([]);
    expect(state.episodeStarted(environmentView('a:1'))?.scene).toBe('abc');
  });
});

describe('snapshot', () => {
  test('its worst case is a message that a page accepts', () => {
    const state = new PageState();
    const tasks = Array.from({ length: 101 }, (_, index) => taskScore(`metaworld/task-${index}`));
    for (let run = 0; run < 100; run++) state.runUpdated(runSummary(`run-${run}`, { tasks }));
    for (let index = 0; index < 2000; index++) state.episodeStarted(environmentView(`worker-${index}:0`));
    const snapshot = state.snapshot(1);
    expect(snapshot.environments).toHaveLength(1024);
    expect(snapshot.runs.length).toBeLessThanOrEqual(64);
    const decoded = decodePageEvent(encodeMessage(snapshot));
    expect(decoded.ok ? '' : decoded.error.message).toBe('');
  });

  test('running runs are kept when old ones have to go', () => {
    const state = new PageState();
    state.runUpdated(runSummary('active'));
    for (let run = 0; run < 100; run++) state.runUpdated(runSummary(`old-${run}`, { state: 'finished' }));
    const names = state.snapshot(1).runs.map((run) => run.run);
    expect(names).toContain('active');
    expect(names).toContain('old-99');
    expect(names).not.toContain('old-0');
  });
});
