import type { RefObject } from 'preact';
import { useEffect } from 'preact/hooks';
import type { ControlRequest } from '../../protocol/control-messages.ts';
import type { Tile } from '../scene/tile.ts';
import type { Store } from '../store.ts';
import type { Grip } from './grip.ts';
import { PullLine } from './pull-line.ts';

/** The server lets go of what it does not hear of; a hand that rests still holds. */
const REPEAT_MS = 60;

/** Ctrl and drag pulls at the body under the pointer, while this page is in control. Otherwise the camera has the gesture. */
export function useDrag(
  element: RefObject<HTMLElement | null>,
  tile: RefObject<Tile | null>,
  { store, key }: { readonly store: Store; readonly key: string },
): void {
  useEffect(() => {
    const target = element.current;
    if (target === null) return undefined;
    const drag = new Drag(target, tile, (pull) => {
      const episode = store.environments.peek().get(key)?.episode;
      if (episode !== undefined) store.send({ type: 'drag', key, episode, pull });
    });
    const listen = (
      type: 'pointerdown' | 'pointermove' | 'pointerup' | 'pointercancel',
      act: (event: PointerEvent) => boolean,
    ) =>
      target.addEventListener(
        type,
        (event) => {
          if (!act(event)) return;
          event.preventDefault();
          event.stopImmediatePropagation();
        },
        { capture: true, signal: controller.signal },
      );
    const controller = new AbortController();
    listen('pointerdown', (event) => event.ctrlKey && store.control.peek()?.seat === 'mine' && drag.begin(event));
    listen('pointermove', (event) => drag.move(event));
    listen('pointerup', () => drag.end());
    listen('pointercancel', () => drag.end());
    target.addEventListener(
      'contextmenu',
      (event) => {
        if (event.ctrlKey) event.preventDefault();
      },
      { signal: controller.signal },
    );
    return () => {
      controller.abort();
      drag.end();
    };
  }, [key]);
}

type Pull = Extract<ControlRequest, { type: 'drag' }>['pull'];

class Drag {
  readonly #element: HTMLElement;
  readonly #tile: RefObject<Tile | null>;
  readonly #send: (pull: Pull) => void;
  #grip: Grip | null = null;
  #line: PullLine | null = null;
  #at = { x: 0, y: 0 };
  #timer: ReturnType<typeof setInterval> | undefined;

  constructor(element: HTMLElement, tile: RefObject<Tile | null>, send: (pull: Pull) => void) {
    this.#element = element;
    this.#tile = tile;
    this.#send = send;
  }

  begin(event: PointerEvent): boolean {
    this.#at = this.#placeOf(event);
    this.#grip = this.#tile.current?.grip(this.#at) ?? null;
    if (this.#grip === null) return false;
    this.#element.setPointerCapture(event.pointerId);
    this.#element.classList.add('dragging');
    this.#line = new PullLine(this.#element, () => {
      const held = this.#grip === null ? null : (this.#tile.current?.heldAt(this.#grip) ?? null);
      return held === null ? null : [held, this.#at];
    });
    this.#timer = setInterval(() => this.#pull(), REPEAT_MS);
    this.#pull();
    return true;
  }

  move(event: PointerEvent): boolean {
    if (this.#grip === null) return false;
    this.#at = this.#placeOf(event);
    return true;
  }

  end(): boolean {
    if (this.#grip === null) return false;
    clearInterval(this.#timer);
    this.#grip = null;
    this.#line?.remove();
    this.#element.classList.remove('dragging');
    this.#send(null);
    return true;
  }

  #pull(): void {
    const grip = this.#grip;
    const target = grip === null ? null : (this.#tile.current?.targetAt(grip, this.#at) ?? null);
    if (grip !== null && target !== null) this.#send({ body: grip.body, point: [...grip.point], target: [...target] });
  }

  #placeOf({ clientX, clientY }: PointerEvent): { x: number; y: number } {
    const { left, top, width, height } = this.#element.getBoundingClientRect();
    return { x: (2 * (clientX - left)) / width - 1, y: 1 - (2 * (clientY - top)) / height };
  }
}
