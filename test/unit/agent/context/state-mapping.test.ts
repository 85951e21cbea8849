import { describe, expect, it } from 'vitest';
import { DMCONTROL_SLOTS, stateIndices } from '../../../../agent/context/state-mapping.ts';

const spec = (task: string, parts: Record<string, number>) => ({
  task,
  observation: Object.entries(parts).map(([name, size]) => ({ name, size })),
});

describe('state mapping', () => {
  it('has slots that fill the unified vector without holes or overlaps', () => {
    const slots = Object.values(DMCONTROL_SLOTS).sort((a, b) => a.start - b.start);
    let at = 0;
    for (const { start, length } of slots) {
      expect(start).toBe(at);
      at += length;
    }
    expect(at).toBe(204);
  });

  it('puts the height of the walker last and its velocity at 14', () => {
    const indices = [...stateIndices(spec('dmcontrol/walker-walk', { orientations: 14, height: 1, velocity: 9 }), 204)];
    expect(indices.slice(0, 14)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13]);
    expect(indices[14]).toBe(203);
    expect(indices.slice(15)).toEqual([14, 15, 16, 17, 18, 19, 20, 21, 22]);
  });

  it('puts the orientation of the pendulum at 140 and 141', () => {
    expect([...stateIndices(spec('dmcontrol/pendulum-swingup', { orientation: 2, velocity: 1 }), 204)]).toEqual([
      140, 141, 14,
    ]);
  });

  it('keeps Meta-World at the front', () => {
    const indices = stateIndices(spec('metaworld/reach-v3', { state: 39 }), 204);
    expect([indices.length, indices[0], indices[38]]).toEqual([39, 0, 38]);
  });

  it.each([
    ['an unknown part', spec('dmcontrol/walker-walk', { velocty: 9 }), 'nearest: "velocity"'],
    [
      'a part that is too long',
      spec('dmcontrol/walker-walk', { velocity: 28 }),
      'observes 28 values of "velocity", the policy has 27',
    ],
    ['a part of the other domain', spec('metaworld/reach-v3', { velocity: 3 }), 'observes "velocity"'],
    ['a property of every object', spec('dmcontrol/walker-walk', { constructor: 1 }), 'observes "constructor"'],
    [
      'a part given twice',
      {
        task: 'dmcontrol/walker-walk',
        observation: [
          { name: 'height', size: 1 },
          { name: 'height', size: 1 },
        ],
      },
      'twice',
    ],
  ])('refuses %s', (_, wrong, message) => {
    expect(() => stateIndices(wrong, 204)).toThrow(message);
    expect(() => stateIndices(wrong, 204)).toThrow(expect.objectContaining({ code: 'L2M_TASK_UNSUPPORTED' }) as Error);
  });

  it('refuses a policy with a shorter state', () => {
    expect(() => stateIndices(spec('dmcontrol/walker-walk', { height: 1 }), 100)).toThrow('lies beyond the 100 values');
  });
});
