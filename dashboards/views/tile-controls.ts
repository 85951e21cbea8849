import type { RefObject } from 'preact';
import { useEffect } from 'preact/hooks';
import type { Tile } from '../scene/tile.ts';

const KEY_PIXELS = 24;
const ZOOM_STEP = 1.15;
const HOVER_MS = 120;
/** A pointer that went further turned the camera; it did not click. */
const CLICK_PIXELS = 4;

interface TileEvents {
  readonly onHover: (name: string) => void;
  /** The picture was clicked, or Enter pressed on it. */
  readonly onPick?: () => void;
}

/**
 * Camera by mouse, touch and keyboard. A finger that moves up or down scrolls the page, as does the wheel alone: the tiles
 * fill a telephone's screen.
 */
export function useTileControls(
  element: RefObject<HTMLElement | null>,
  tile: RefObject<Tile | null>,
  { onHover, onPick }: TileEvents,
): void {
  useEffect(() => {
    const target = element.current;
    if (target === null) return undefined;
    const controller = new AbortController();
    const { signal } = controller;
    target.addEventListener(
      'pointermove',
      (event) => {
        if (event.buttons === 0 && event.pointerType !== 'touch') {
          hover.at(event);
          return;
        }
        if (event.buttons !== 1) return;
        if (!target.hasPointerCapture(event.pointerId)) target.setPointerCapture(event.pointerId);
        tile.current?.orbitBy(event.movementX, event.movementY);
      },
      { signal },
    );
    target.addEventListener(
      'wheel',
      (event) => {
        if (!event.ctrlKey) return;
        event.preventDefault();
        tile.current?.zoomBy(ZOOM_STEP ** Math.sign(event.deltaY));
      },
      { signal, passive: false },
    );
    target.addEventListener('dblclick', () => tile.current?.resetView(), { signal });
    let pressed = { x: 0, y: 0 };
    target.addEventListener('pointerdown', ({ clientX: x, clientY: y }) => (pressed = { x, y }), { signal });
    target.addEventListener(
      'click',
      ({ clientX, clientY, ctrlKey }) => {
        if (!ctrlKey && Math.hypot(clientX - pressed.x, clientY - pressed.y) <= CLICK_PIXELS) onPick?.();
      },
      { signal },
    );
    target.addEventListener(
      'keydown',
      (event) => {
        if (event.key === 'Enter') onPick?.();
        else if (tile.current !== null && moveByKey(event.key, tile.current)) event.preventDefault();
      },
      { signal },
    );
    const hover = new Hover(target, tile, onHover);
    target.addEventListener('pointerleave', () => hover.clear(), { signal });
    return () => {
      controller.abort();
      hover.clear();
    };
  }, []);
}

/** Says what is under the pointer once it rests: a ray through every triangle is too much for every movement. */
class Hover {
  readonly #element: HTMLElement;
  readonly #tile: RefObject<Tile | null>;
  readonly #onHover: (name: string) => void;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(element: HTMLElement, tile: RefObject<Tile | null>, onHover: (name: string) => void) {
    this.#element = element;
    this.#tile = tile;
    this.#onHover = onHover;
  }

  at({ clientX, clientY }: PointerEvent): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      const { left, top, width, height } = this.#element.getBoundingClientRect();
      const [x, y] = [(2 * (clientX - left)) / width - 1, 1 - (2 * (clientY - top)) / height];
      this.#onHover(this.#tile.current?.nameAt(x, y) ?? '');
    }, HOVER_MS);
  }

  clear(): void {
    clearTimeout(this.#timer);
    this.#onHover('');
  }
}

function moveByKey(key: string, tile: Tile): boolean {
  switch (key) {
    case 'ArrowLeft':
      tile.orbitBy(-KEY_PIXELS, 0);
      return true;
    case 'ArrowRight':
      tile.orbitBy(KEY_PIXELS, 0);
      return true;
    case 'ArrowUp':
      tile.orbitBy(0, KEY_PIXELS);
      return true;
    case 'ArrowDown':
      tile.orbitBy(0, -KEY_PIXELS);
      return true;
    case '+':
      tile.zoomBy(1 / ZOOM_STEP);
      return true;
    case '-':
      tile.zoomBy(ZOOM_STEP);
      return true;
    case '0':
      tile.resetView();
      return true;
    default:
      return false;
  }
}
