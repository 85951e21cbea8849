import { describe, expect, it } from 'vitest';
import { KNOWN_TASKS, TASK_GROUPS } from '../../../agent/tasks/groups.ts';
import { colorOf, dotOf, keyColor } from '../../../dashboards/task-color.ts';

const OKABE_ITO = ['#0072b2', '#e69f00', '#009e73', '#cc79a7', '#56b4e9', '#d55e00', '#f0e442'];

describe('the dot of a task', () => {
  it('is of the palette made for colour-blind eyes', () => {
    expect(new Set(KNOWN_TASKS.map(colorOf))).toEqual(new Set(OKABE_ITO));
  });

  it('never changes: people remember it', () => {
    expect(['metaworld/reach-v3', 'metaworld/door-open-v3', 'dmcontrol/walker-walk'].map(dotOf)).toMatchInlineSnapshot(`
      [
        {
          "background": "#d55e00",
          "borderRadius": "50%",
        },
        {
          "background": "#d55e00",
          "borderRadius": "2px",
        },
        {
          "background": "#009e73",
          "borderRadius": "2px",
        },
      ]
    `);
  });

  it.each(['MT10', 'CW10', 'DMC10', 'DMC16'] as const)('is another for each task of %s', (group) => {
    const tasks = TASK_GROUPS[group];
    expect(new Set(tasks.map((task) => JSON.stringify(dotOf(task)))).size).toBe(tasks.length);
  });
});

describe('the colour of a key', () => {
  it('is told from those of the other keys of a pool of thirty, and from its neighbours at a glance', () => {
    const colors = Array.from({ length: 30 }, (_, key) => keyColor(key));
    for (const channel of colors.flat()) expect(channel).toBe(Math.min(255, Math.max(0, Math.round(channel))));
    const distance = (a: number, b: number) =>
      Math.hypot(...[0, 1, 2].map((channel) => (colors[a]?.[channel] ?? 0) - (colors[b]?.[channel] ?? 0)));
    for (let one = 0; one < 30; one++) {
      for (let other = one + 1; other < 30; other++) {
        expect(distance(one, other)).toBeGreaterThan(other === one + 1 ? 190 : 50);
      }
    }
  });
});
