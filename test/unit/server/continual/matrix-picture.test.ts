import { describe, expect, test } from 'vitest';
import type { PerformanceMatrix } from '../../../../protocol/performance-matrix.ts';
import { matrixPicture } from '../../../../server/continual/matrix-picture.ts';

const HAMMER = 'metaworld/hammer-v3';
const PUSH = 'metaworld/push-wall-v3';
const WALK = 'dmcontrol/walker-walk';

type Row = PerformanceMatrix['rows'][number];
const row = (stage: number, task: string, changes: Partial<Row>): Row => ({
  ...{ stage, stageTask: [null, HAMMER, PUSH][stage] ?? null, task, update: stage * 10, success: null, k: 0, n: 4 },
  ...changes,
});

const matrix = (changes: Partial<PerformanceMatrix> = {}): PerformanceMatrix => ({
  ...{ format: 'l2m-performance-matrix-1', name: 'a <run>', method: 'l2m-lora', seed: 3, state: 'finished' },
  ...{ sequence: [HAMMER, PUSH], others: [WALK] },
  rows: [
    ...[row(0, HAMMER, { success: 0 }), row(0, PUSH, { success: 0 }), row(0, WALK, { score: 1.2 })],
    ...[row(1, HAMMER, { success: 0.25, update: 5 }), row(1, HAMMER, { success: 1 }), row(1, PUSH, { success: 0 })],
    ...[row(2, HAMMER, { success: 0.5 }), row(2, PUSH, { success: 0.75 }), row(2, WALK, { score: 0.9 })],
  ],
  ...changes,
});

/** Numbers in the cells, in the order of reading. */
const numbers = (svg: string): string[] =>
  [...svg.matchAll(/text-anchor="middle" font-size="12"[^>]*>([^<]*)</g)].map((match) => match[1] ?? '');

describe('the picture of a forgetting matrix', () => {
  test('has a number for every task and stage, the last evaluation of a stage, and says what was not measured', () => {
    const svg = matrixPicture(matrix());
    expect(numbers(svg)).toEqual(['0.00', '1.00', '0.50', '0.00', '0.00', '0.75', '1.20', '–', '0.90']);
    expect(svg).toContain('>walker-walk (pre-training)<');
    expect(svg).toContain('>2 push-wall-v3<');
    // The task that is being learned is framed: once in each stage.
    expect(svg.match(/stroke-width="3"/g)).toHaveLength(2);
    expect(svg).toContain('aria-label="a &lt;run&gt;: l2m-lora, seed 3"');
    expect(svg).not.toContain('<run>');
  });

  test('tells values by lightness, and writes on each colour in an ink that can be read', () => {
    const values = Array.from({ length: 10 }, (_, i) => i / 9);
    const rows = values.map((success, i) => row(1, `metaworld/task-${i}-v3`, { success }));
    const svg = matrixPicture(matrix({ sequence: rows.map(({ task }) => task), others: [], rows }));
    const cells = [...svg.matchAll(/fill="(#[0-9a-f]{6})" stroke="#ffffff"\/><text [^>]*fill="(#[0-9a-f]{6})"/g)];
    const luminances = cells.map(([, fill]) => luminance(fill ?? ''));
    expect(luminances).toHaveLength(10);
    luminances.slice(1).forEach((each, i) => expect(each).toBeGreaterThan(luminances[i] ?? 1));
    cells.forEach(([, fill = '', ink = '']) => {
      const [light, dark] = [luminance(fill), luminance(ink)].sort((a, b) => b - a) as [number, number];
      // WCAG 2, level AA of normal text.
      expect((light + 0.05) / (dark + 0.05)).toBeGreaterThanOrEqual(4.5);
    });
  });

  test('of all tasks at once has one stage without a task', () => {
    const svg = matrixPicture(matrix({ method: 'joint', rows: [row(1, HAMMER, { stageTask: null, success: 1 })] }));
    expect(svg).toContain('>joint<');
    expect(svg).not.toContain('stroke-width="3"');
  });
});

function luminance(colour: string): number {
  const [red = 0, green = 0, blue = 0] = [1, 3, 5].map((at) => {
    const part = parseInt(colour.slice(at, at + 2), 16) / 255;
    return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}
