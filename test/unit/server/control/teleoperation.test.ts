import { describe, expect, it } from 'vitest';
import { WIRE_LIMITS } from '../../../../protocol/limits.ts';
import { blended, BLEND_STEPS, Teleoperation } from '../../../../server/control/teleoperation.ts';

const REACH = 'metaworld/reach-v3';
const WALKER = 'dmcontrol/walker-walk';

describe('teleoperation', () => {
  it('takes over and hands back without a jump', () => {
    const steering = new Teleoperation(REACH, [1, 0, 0, 1], 0);
    const policy = Float32Array.of(-1, 0, 0, -1);
    const first: number[] = [];
    for (let step = 0; step < 8; step++) first.push(blended(policy, steering.step(0)!)[0]!);
    expect(first.map((value) => Math.round(value * 10) / 10)).toEqual([-0.6, -0.2, 0.2, 0.6, 1, 1, 1, 1]);
    expect(steering.hand(0)).toBe('person');
    steering.handBack();
    expect(steering.hand(0)).toBe('handing-back');
    const last: (number | undefined)[] = [];
    for (let step = 0; step < BLEND_STEPS; step++) {
      const taken = steering.step(0);
      last.push(taken === undefined ? undefined : Math.round(blended(policy, taken)[0]! * 10) / 10);
    }
    expect(last).toEqual([0.6, 0.2, -0.2, -0.6, undefined]);
    expect(steering.hand(0)).toBe('policy');
  });

  it('lets go in silence: the hand stops, the gripper stays as it is', () => {
    const steering = new Teleoperation(REACH, [1, -1, 0.5, 1], 0);
    expect(steering.step(WIRE_LIMITS.teleoperationHoldMs - 1)?.action).toEqual([1, -1, 0.5, 1]);
    expect(steering.step(WIRE_LIMITS.teleoperationHoldMs)?.action).toEqual([0, 0, 0, 1]);
    const walker = new Teleoperation(WALKER, [1, -1, 0.5, 1, 1, 1], 0);
    expect(walker.step(WIRE_LIMITS.teleoperationHoldMs)?.action).toEqual([0, 0, 0, 0, 0, 0]);
  });

  it('hands back after a longer silence, and is taken up again by a word in between', () => {
    const steering = new Teleoperation(REACH, [1, 0, 0, 0], 0);
    for (let step = 0; step < BLEND_STEPS; step++) steering.step(0);
    const late = WIRE_LIMITS.teleoperationHandBackMs;
    expect(steering.step(late)?.weight).toBe(1 - 1 / BLEND_STEPS);
    steering.steer([0, 1, 0, 0], late);
    expect(steering.step(late)).toEqual({ action: [0, 1, 0, 0], weight: 1 });
  });
});
