import { describe, expect, it } from 'vitest';
import {
  actionOf,
  bindingsOf,
  chosenDimension,
  isActive,
  isSteeringKey,
  type Controls,
} from '../../../../dashboards/control/bindings.ts';

const REACH = 'metaworld/reach-v3';
const WALKER = 'dmcontrol/walker-walk';

function controls(change: Partial<Omit<Controls, 'keys'>> & { readonly keys?: readonly string[] } = {}): Controls {
  return { axes: [], grip: -1, dimension: 0, ...change, keys: new Set(change.keys) };
}

describe('keys and sticks as actions', () => {
  it('move the hand of Meta-World along the axes of the world', () => {
    const of = (...keys: string[]) => actionOf(REACH, 4, controls({ keys }));
    expect(of('KeyD')).toEqual([1, 0, 0, -1]);
    expect(of('KeyA', 'KeyW')).toEqual([-1, 1, 0, -1]);
    expect(of('KeyE')).toEqual([0, 0, 1, -1]);
    expect(of('KeyE', 'KeyQ', 'KeyS')).toEqual([0, -1, 0, -1]);
    expect(of('ShiftLeft', 'KeyD')).toEqual([0.3, 0, 0, -1]);
    expect(actionOf(REACH, 4, controls({ grip: 1 }))[3]).toBe(1);
    const sticks = actionOf(REACH, 4, controls({ axes: [0.5, -0.75, 0, 1] }));
    expect(sticks).toEqual([0.5, 0.75, -1, -1]);
    expect(actionOf(REACH, 4, controls({ axes: [0.1, 0.1, 0, 0.1] })).map(Math.abs)).toEqual([0, 0, 0, 1]);
  });

  it('move the chosen dimension of any other robot, and those after it by the other axes', () => {
    expect(actionOf(WALKER, 6, controls({ keys: ['KeyW'], dimension: 4 }))).toEqual([0, 0, 0, 0, 1, 0]);
    expect(actionOf(WALKER, 6, controls({ axes: [0.5, -1, 0.25, 0], dimension: 1 })).map((value) => value + 0)).toEqual(
      [0, 1, 0.5, 0, 0.25, 0],
    );
    expect(actionOf(WALKER, 6, controls({ axes: [0.5, -1, 0.25, 0], dimension: 5 }))).toHaveLength(6);
    expect(actionOf(WALKER, 6, controls({ axes: [0, -1], keys: ['KeyW'] }))[0]).toBe(1);
  });

  it('choose a dimension that there is', () => {
    expect(chosenDimension('Digit3', 0, 6)).toBe(2);
    expect(chosenDimension('Digit9', 1, 6)).toBe(1);
    expect(chosenDimension('BracketRight', 5, 6)).toBe(5);
    expect(chosenDimension('BracketRight', 11, 21)).toBe(12);
    expect(chosenDimension('BracketLeft', 0, 6)).toBe(0);
  });

  it('know rest from action', () => {
    expect(isActive(controls())).toBe(false);
    expect(isActive(controls({ keys: ['ShiftLeft', 'Digit2'], axes: [0.1, -0.1] }))).toBe(false);
    expect(isActive(controls({ axes: [0, 0.2] }))).toBe(true);
    expect(isActive(controls({ keys: ['KeyQ'] }))).toBe(true);
    expect(['KeyW', 'Digit4', 'BracketLeft', 'ShiftRight'].every(isSteeringKey)).toBe(true);
    expect(['Space', 'KeyT', 'ArrowLeft', 'Escape'].some(isSteeringKey)).toBe(false);
  });

  it('are explained', () => {
    expect(bindingsOf(REACH, 4).map(([keys]) => keys)).toContain('G');
    expect(bindingsOf('dmcontrol/humanoid-run', 21)[0]).toEqual(['1 – 9, [ ]', '', 'which of the 21 dimensions']);
    expect(bindingsOf(WALKER, 6)[0]?.[0]).toBe('1 – 6');
  });
});
