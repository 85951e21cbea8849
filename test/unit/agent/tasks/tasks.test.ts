import { describe, expect, it } from 'vitest';
import { expandTasks, expandTaskSequence } from '../../../../agent/tasks/expand-tasks.ts';
import { KNOWN_TASKS, TASK_GROUPS } from '../../../../agent/tasks/groups.ts';

describe('task groups', () => {
  it('have their sizes and share what they should', () => {
    const sizes = Object.fromEntries(Object.entries(TASK_GROUPS).map(([name, tasks]) => [name, new Set(tasks).size]));
    expect(sizes).toEqual({ MT10: 10, MT40: 40, MT50: 50, CW10: 10, CW20: 10, DMC10: 10, DMC6: 6, DMC16: 16 });
    expect(TASK_GROUPS.CW20).toHaveLength(20);
    expect(new Set(KNOWN_TASKS).size).toBe(KNOWN_TASKS.length);
    expect(KNOWN_TASKS).toHaveLength(101);
    expect(TASK_GROUPS.MT10.every((task) => TASK_GROUPS.MT50.includes(task))).toBe(true);
  });

  it('expand in order, each task once', () => {
    expect(expandTasks(['metaworld/reach-v3', 'MT10', ' dmcontrol/walker-walk '])).toEqual([
      ...TASK_GROUPS.MT10,
      'dmcontrol/walker-walk',
    ]);
    expect(expandTaskSequence(['CW20'])).toHaveLength(20);
  });

  it.each(['reach', 'reach-v2', 'reach-v3', 'metaworld/reach', 'metaworld/reach-v2', 'Reach-V3'])(
    'know %s as reach-v3',
    (name) => {
      expect(expandTasks([name])).toEqual(['metaworld/reach-v3']);
    },
  );

  it('know DMControl tasks by their short names', () => {
    expect(expandTasks(['walker-walk', 'dmc6'])).toEqual(['dmcontrol/walker-walk', ...TASK_GROUPS.DMC6.slice(0, 5)]);
  });

  it.each([
    ['walker-wlk', 'did you mean dmcontrol/walker-walk?'],
    ['MT11', 'did you mean MT10?'],
    ['constructor', 'There is no task or group called "constructor"'],
    ['', 'There is no task or group called ""'],
  ])('refuse %j with a suggestion', (name, message) => {
    expect(() => expandTasks([name])).toThrow(message);
    expect(() => expandTasks([name])).toThrow(expect.objectContaining({ code: 'L2M_TASK_UNKNOWN' }) as Error);
  });
});
