import { useEffect, useRef } from 'preact/hooks';
import { useSignal } from '@preact/signals';

export interface HeatMapProps {
  readonly label: string;
  readonly rows: number;
  readonly columns: number;
  /** 0..1, by row; anything else is drawn as nothing. */
  readonly at: (row: number, column: number) => number;
  /** One cell in words. */
  readonly words: (row: number, column: number) => string;
}

/** Viridis: even steps to the eye, also without colours. */
const STOPS = [
  [68, 1, 84],
  [59, 82, 139],
  [33, 145, 140],
  [94, 201, 98],
  [253, 231, 37],
] as const;

/** A table of numbers as colours. The pointer, or arrows on the focused map, read single cells out. */
export function HeatMap({ label, rows, columns, at, words }: HeatMapProps) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const cell = useSignal<readonly [row: number, column: number] | null>(null);
  useEffect(() => {
    const context = canvas.current?.getContext('2d');
    if (context === null || context === undefined || rows * columns === 0) return;
    const image = context.createImageData(columns, rows);
    for (let row = 0; row < rows; row++) {
      for (let column = 0; column < columns; column++) {
        const value = at(row, column);
        if (value >= 0 && value <= 1) image.data.set(viridis(value), (row * columns + column) * 4);
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
    <div class="heat">
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
    </div>
  );
}

function viridis(value: number): readonly number[] {
  const place = value * (STOPS.length - 1);
  const low = Math.min(STOPS.length - 2, Math.floor(place));
  const [from, to] = [STOPS[low] ?? STOPS[0], STOPS[low + 1] ?? STOPS[4]];
  return [...from.map((channel, i) => channel + ((to[i] ?? 0) - channel) * (place - low)), 255];
}
