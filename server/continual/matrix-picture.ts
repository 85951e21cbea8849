import type { PerformanceMatrix } from '../../protocol/performance-matrix.ts';

const CELL = { width: 58, height: 26 } as const;
const LEFT = 236;
const TOP = 92;
/** The last stage's slanted name reaches beyond its column. */
const RIGHT = 72;
const LEGEND = 46;
/** Cividis (Nuñez et al. 2018), every ninth of it: lightness alone tells the values, so that any colour vision and any printer shows them. */
const SCALE = [
  '#00224e',
  '#123570',
  '#3b496c',
  '#575d6d',
  '#707173',
  '#8a8678',
  '#a59c74',
  '#c3b369',
  '#e1cc55',
  '#fee838',
];

type Row = PerformanceMatrix['rows'][number];

/**
 * The forgetting matrix as a picture for documents: one row a task, one column a stage, success (or the normalised return, where a task has no
 * success) as a number on a colour. Framed cells: the task is being learned. Of several evaluations in a stage the last one counts.
 *
 * @returns an SVG document without scripts, fonts or styles of its own
 */
export function matrixPicture(matrix: PerformanceMatrix): string {
  const { sequence, others, name, method, seed } = matrix;
  const tasks = [...new Set([...sequence, ...others])];
  const stages = [...new Set(matrix.rows.map(({ stage }) => stage))].sort((a, b) => a - b);
  const latest = new Map(
    [...matrix.rows]
      .sort((a, b) => (a.update ?? 0) - (b.update ?? 0))
      .map((row) => [`${row.stage} ${row.task}`, row] as const),
  );
  const width = LEFT + stages.length * CELL.width + RIGHT;
  const height = TOP + tasks.length * CELL.height + LEGEND + 8;
  const title = `${name}: ${method}, seed ${seed}`;
  const parts = [
    text(title, { x: 8, y: 20, anchor: 'start', size: 14 }),
    ...stages.map((stage, column) => stageName(matrix, stage, column)),
    ...tasks.flatMap((task, line) => [
      taskName(task, line, sequence.includes(task)),
      ...stages.map((stage, column) => {
        const learning = matrix.rows.some((row) => row.stage === stage && row.stageTask === task);
        return cell(latest.get(`${stage} ${task}`), { line, column, learning });
      }),
    ]),
    legend(TOP + tasks.length * CELL.height + 14),
  ];
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}"` +
      ` font-family="system-ui, sans-serif" role="img" aria-label="${escaped(title)}">`,
    `<rect width="${width}" height="${height}" fill="#ffffff"/>`,
    ...parts,
    '</svg>\n',
  ].join('\n');
}

function stageName({ rows }: PerformanceMatrix, stage: number, column: number): string {
  const task = rows.find((row) => row.stage === stage)?.stageTask ?? null;
  const label = stage === 0 ? 'before' : task === null ? 'joint' : `${stage} ${shortName(task)}`;
  const [x, y] = [LEFT + (column + 0.5) * CELL.width, TOP - 8];
  return `<g transform="rotate(-28 ${x} ${y})">${text(label, { x, y, anchor: 'start', size: 10 })}</g>`;
}

function taskName(task: string, line: number, learned: boolean): string {
  const y = TOP + (line + 0.5) * CELL.height + 4;
  const label = learned ? shortName(task) : `${shortName(task)} (pre-training)`;
  return text(label, { x: LEFT - 8, y, anchor: 'end', size: 12 });
}

function cell(
  row: Row | undefined,
  { line, column, learning }: { readonly line: number; readonly column: number; readonly learning: boolean },
): string {
  const [x, y] = [LEFT + column * CELL.width, TOP + line * CELL.height];
  const value = row?.success ?? row?.score ?? null;
  const fill = value === null ? '#eeeeee' : colourOf(value);
  const frame = learning ? ' stroke="#d55e00" stroke-width="3"' : ' stroke="#ffffff"';
  const inset = learning ? 2 : 0.5;
  const box = `x="${x + inset}" y="${y + inset}" width="${CELL.width - 2 * inset}" height="${CELL.height - 2 * inset}"`;
  const label = value === null ? '–' : value.toFixed(2);
  const place = { x: x + CELL.width / 2, y: y + CELL.height / 2 + 4, anchor: 'middle', size: 12 } as const;
  return `<rect ${box} fill="${fill}"${frame}/>${text(label, { ...place, colour: inkOn(fill) })}`;
}

function legend(y: number): string {
  const swatches = SCALE.map(
    (colour, i) => `<rect x="${LEFT + i * 18}" y="${y}" width="18" height="10" fill="${colour}"/>`,
  );
  const end = LEFT + SCALE.length * 18;
  return [
    ...swatches,
    text('0', { x: LEFT, y: y + 24, anchor: 'middle', size: 10 }),
    text('1', { x: end, y: y + 24, anchor: 'middle', size: 10 }),
    text('success at any time, or normalised return', { x: LEFT - 8, y: y + 10, anchor: 'end', size: 10 }),
  ].join('\n');
}

/** Normalised returns may lie beyond 0 and 1; the number says so, the colour stays at the end. */
function colourOf(value: number): string {
  const index = Math.round(Math.min(1, Math.max(0, value)) * (SCALE.length - 1));
  return SCALE[index] ?? '#eeeeee';
}

/** Black or white, whichever is farther from the ground by relative luminance (WCAG 2). */
function inkOn(fill: string): string {
  const [red = 0, green = 0, blue = 0] = [1, 3, 5].map((at) => {
    const part = parseInt(fill.slice(at, at + 2), 16) / 255;
    return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue > 0.179 ? '#000000' : '#ffffff';
}

interface TextPlace {
  readonly x: number;
  readonly y: number;
  readonly anchor: 'start' | 'middle' | 'end';
  readonly size: number;
  readonly colour?: string;
}

function text(value: string, { x, y, anchor, size, colour = '#000000' }: TextPlace): string {
  return `<text x="${x}" y="${y}" text-anchor="${anchor}" font-size="${size}" fill="${colour}">${escaped(value)}</text>`;
}

function shortName(task: string): string {
  return task.slice(task.indexOf('/') + 1);
}

function escaped(value: string): string {
  const names: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };
  return value.replace(/[&<>"]/g, (character) => names[character] ?? character);
}
