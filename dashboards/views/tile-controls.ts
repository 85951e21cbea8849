import type { RefObject } from 'preact';
import { useEffect } from 'preact/hooks';
import type { Tile } from '../scene/stage.ts';

const KEY_PIXELS = 24;
const ZOOM_STEP = 1.15;

/**
 * Camera by mouse, touch and keyboard. A finger that moves up or down scrolls the page, as does the wheel alone: the tiles
 * fill a telephone's screen.
 */
export function useTileControls(element: RefObject<HTMLElement | null>, tile: RefObject<Tile | null>): void {
  useEffect(() => {
    const target = element.current;
    if (target === null) return undefined;
    const controller = new AbortController();
    const { signal } = controller;
    target.addEventListener(
      'pointermove',
      (event) => {
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
    target.addEventListener(
      'keydown',
      (event) => {
        if (tile.current !== null && moveByKey(event.key, tile.current)) event.preventDefault();
      },
      { signal },
    );
    return () => controller.abort();
  }, []);
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
