import { useLayoutEffect, useRef } from 'preact/hooks';
import { useSignal } from '@preact/signals';

export interface HeatMapProps {
  readonly label: string;
  readonly rows: number;
  readonly columns: number;
  /** 0..1, by row; anything else is drawn as nothing. */
  readonly at: (row: number, column: number) => number;
  /** One cell in words. */
  readonly words: (row: number, column: number) => string;
  /** What the rows are, where that fits beside them. */
  readonly names?: readonly string[];
  /** Red, green, blue of a cell, 0..255, where values are categories and not more or less of something. */
  readonly color?: (row: number, column: number) => readonly number[] | null;
  /** What the two ends of the scale stand for. */
  readonly scale?: readonly [low: string, high: string];
}

/** Viridis: even steps to the eye, also without colours. */
const STOPS = [
  [68, 1, 84],
  [59, 82, 139],
  [33, 145, 140],
  [94, 201, 98],
  [253, 231, 37],
] as const;

const GRADIENT = `linear-gradient(90deg,${STOPS.map((stop) => `rgb(${stop.join()})`).join()})`;

/** A table of numbers as colours. The pointer, or arrows on the focused map, read single cells out. */
export function HeatMap({ label, rows, columns, at, words, names, color, scale }: HeatMapProps) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const cell = useSignal<readonly [row: number, column: number] | null>(null);
  // At once: another width clears the canvas, and a busy page may show it for long before later effects run.
  useLayoutEffect(() => {
    const context = canvas.current?.getContext('2d');
    if (context === null || context === undefined || rows * columns === 0) return;
    const image = context.createImageData(columns, rows);
    for (let row = 0; row < rows; row++) {
      for (let column = 0; column < columns; column++) {
        const value = at(row, column);
        const shown = color === undefined ? (value >= 0 && value <= 1 ? viridis(value) : null) : color(row, column);
        if (shown !== null) image.data.set([...shown, 255], (row * columns + column) * 4);
      }
    }
    context.putImageData(image, 0, 0);
  });
  const [row, column] = cell.value ?? [0, 0];
  const limited = (x: number, count: number): number => Math.max(0, Math.min(count - 1, Math.floor(x)));
  const onKeyDown = (event: KeyboardEvent): void => {
    const [down, right] = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] }[
      event.key
    ] ?? [0, 0];
    if (down === 0 && right === 0) return;
    event.preventDefault();
    cell.value = [limited(row + (down ?? 0), rows), limited(column + (right ?? 0), columns)];
  };
  return (
    <div class={names === undefined ? 'heat' : 'heat heat-named'}>
      {names !== undefined && (
        <ul aria-hidden="true">
          {names.map((name, index) => (
            <li key={index}>{name}</li>
          ))}
        </ul>
      )}
      <canvas
        ref={canvas}
        width={columns}
        height={rows}
        tabIndex={0}
        role="img"
        aria-label={label}
        onKeyDown={onKeyDown}
        onPointerMove={(event) => {
          const { offsetX, offsetY, currentTarget: map } = event;
          cell.value = [
            limited((offsetY / map.clientHeight) * rows, rows),
            limited((offsetX / map.clientWidth) * columns, columns),
          ];
        }}
      />
      <p class="heat-words" aria-live="polite">
        {cell.value === null || row >= rows || column >= columns ? 'Point at a cell to read it.' : words(row, column)}
      </p>
      {scale !== undefined && (
        <p class="heat-scale">
          {scale[0]} <i style={{ background: GRADIENT }} /> {scale[1]}
        </p>
      )}
    </div>
  );
}

function viridis(value: number): readonly number[] {
  const place = value * (STOPS.length - 1);
  const low = Math.min(STOPS.length - 2, Math.floor(place));
  const [from, to] = [STOPS[low] ?? STOPS[0], STOPS[low + 1] ?? STOPS[4]];
  return from.map((channel, i) => channel + ((to[i] ?? 0) - channel) * (place - low));
}
