import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { TaskSpec } from '../../../../protocol/task.ts';
import { WIRE_LIMITS } from '../../../../protocol/limits.ts';
import { Hands } from '../../../../server/control/hands.ts';
import { immediateDecision } from '../../../../server/rollouts/acting-policy.ts';
import type { RunningView } from '../../../../server/rollouts/step-observer.ts';

const spec: TaskSpec = {
  task: 'metaworld/reach-v3',
  observation: [{ name: 'state', size: 39 }],
  ...{ actionSize: 4, controlTimestep: 0.0125, reportsSuccess: true, hasExpert: true },
};
const view = {
  ...{ key: 'worker-0:0', run: 'run-1', episode: 5 },
  plan: { task: spec.task, actor: { kind: 'server' } },
} as unknown as RunningView;
const other = { ...view, key: 'worker-0:1', episode: 6 };
const decision = immediateDecision(Float32Array.of(0.5, 0.5, 0.5, 0.5));

let proceeded: number[];
let changes: number;
let hands: Hands;

beforeEach(() => {
  vi.useFakeTimers();
  [proceeded, changes] = [[], 0];
  hands = new Hands({
    specOf: () => spec,
    proceed: (episode) => proceeded.push(episode),
    changed: () => (changes += 1),
  });
});

afterEach(() => {
  hands.close();
  vi.useRealTimers();
});

describe('the hands of people on environments', () => {
  it('leave alone what nobody touches', () => {
    expect(hands.opens(view, false)).toBe(true);
    expect(hands.opens(view, true)).toBe(false);
    expect(hands.handled(view, decision)).toBeUndefined();
    hands.pause(other);
    expect(hands.opens(view, false)).toBe(true);
    expect(hands.opens(other, false)).toBe(false);
    expect(hands.environments([view, other]).map(({ key }) => key)).toEqual([other.key]);
  });

  it('let one step through for each that was asked for', () => {
    hands.step(view, false);
    hands.step(view, false);
    expect([1, 2, 3].map(() => hands.opens(view, false))).toEqual([true, true, false]);
    hands.step(view, true);
    expect([1, 2].map(() => hands.opens(view, true))).toEqual([true, false]);
    hands.resume(view);
    expect(hands.opens(view, false)).toBe(true);
    expect(hands.environments([view])).toEqual([]);
  });

  it('keep the pace of the slower of run and person, and ask again when a step is due', () => {
    hands.setRunSpeed('run-1', 0.5, [view]);
    expect(hands.opens(view, false)).toBe(true);
    expect(hands.opens(view, false)).toBe(false);
    proceeded = [];
    vi.advanceTimersByTime(24);
    expect(proceeded).toEqual([]);
    vi.advanceTimersByTime(2);
    expect(proceeded).toEqual([view.episode]);
    // As fast as possible, although its run is slow.
    hands.setSpeed(view, null);
    expect([1, 2, 3].map(() => hands.opens(view, false))).toEqual([true, true, true]);
    hands.setRunSpeed('run-1', null, [view]);
    expect(hands.speeds()).toEqual([]);
  });

  it('run an environment at the pace of the world while it is steered', () => {
    hands.steer(view, [1, 0, 0, 0]);
    expect(hands.opens(view, false)).toBe(true);
    expect(hands.opens(view, false)).toBe(false);
    hands.ended(view);
    expect(hands.opens(view, false)).toBe(true);
  });

  it('mark an episode as assisted with its first handled step, and the next one not', () => {
    hands.steer(view, [1, 1, 1, 1]);
    expect(hands.environments([view])[0]).toMatchObject({ hand: 'taking-over', assisted: false });
    expect([...(hands.handled(view, decision)?.action ?? [])].map((value) => value.toFixed(1))).toContain('0.6');
    expect(hands.environments([view])[0]).toMatchObject({ assisted: true });
    hands.ended(view);
    expect(hands.environments([view])).toEqual([]);
    expect(hands.handled(view, decision)).toBeUndefined();
  });

  it('pull until they are told to stop, or are silent', () => {
    const pull = { body: 7, point: [0, 0.5, 0], target: [1, 2, 3] };
    hands.drag(view, pull);
    expect(hands.handled(view, decision)).toEqual({
      action: decision.action,
      pull: Float32Array.of(7, 0, 0.5, 0, 1, 2, 3),
    });
    hands.drag(view, null);
    expect(hands.handled(view, decision)).toBeUndefined();
    hands.drag(view, pull);
    vi.advanceTimersByTime(WIRE_LIMITS.dragHoldMs);
    expect(hands.handled(view, decision)).toBeUndefined();
  });

  it('give an expert its weight, because its action is known in the worker alone', () => {
    const expert = {
      ...view,
      plan: { ...view.plan, actor: { kind: 'expert', noise: 0, noiseSeed: 1 } },
    } as RunningView;
    hands.steer(expert, [1, 0, 0, -1]);
    expect(hands.handled(expert, decision)).toEqual({ action: Float32Array.of(1, 0, 0, -1), weight: 0.2 });
  });

  it('lift everything at once', () => {
    hands.pause(view);
    hands.setSpeed(other, 2);
    hands.setRunSpeed('run-2', 3, []);
    expect(hands.lift([view, other])).toBe(true);
    expect(hands.environments([view, other])).toEqual([]);
    expect(proceeded).toContain(view.episode);
    expect(hands.lift([view, other])).toBe(false);
    expect(changes).toBe(0);
  });
});
