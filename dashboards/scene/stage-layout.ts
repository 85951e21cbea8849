export interface Rectangle {
  readonly x: number;
  /** From the lower edge of the canvas. */
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

interface Box {
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
}

/** How much more than the window the canvas covers, so that scrolling seldom has to move it. */
const MARGIN = 300;

/**
 * Where the tiles are. The canvas lies inside the container and scrolls with it, so that pictures never lag behind their
 * tiles; in a container much taller than the window it covers the part in view and is moved along.
 */
export class StageLayout {
  readonly #container: HTMLElement;
  readonly #canvas: HTMLCanvasElement;
  readonly #observer: ResizeObserver;
  readonly #boxes = new Map<Element, Box>();
  #measured = false;
  #width = 0;
  #height = 0;
  #top = 0;
  #visibleTop = 0;
  #visibleBottom = 0;

  constructor(container: HTMLElement, canvas: HTMLCanvasElement) {
    this.#container = container;
    this.#canvas = canvas;
    this.#observer = new ResizeObserver(this.#invalidate);
    this.#observer.observe(container);
    addEventListener('resize', this.#invalidate);
  }

  get canvasSize(): { readonly width: number; readonly height: number } {
    return { width: this.#width, height: this.#height };
  }

  add(element: HTMLElement): void {
    this.#boxes.set(element, { left: 0, top: 0, width: 0, height: 0 });
    this.#observer.observe(element);
    this.#invalidate();
  }

  remove(element: HTMLElement): void {
    this.#boxes.delete(element);
    this.#observer.unobserve(element);
    this.#invalidate();
  }

  /**
   * Call before drawing: notices scrolling and measures again what has moved.
   * @returns whether the canvas or the places on it have changed, so that everything has to be drawn again
   */
  follow(): boolean {
    const remeasured = !this.#measured;
    if (remeasured) this.#measure();
    const top = this.#container.getBoundingClientRect().top;
    const containerHeight = this.#container.clientHeight;
    this.#visibleTop = Math.max(0, -top);
    this.#visibleBottom = Math.min(containerHeight, innerHeight - top);
    const height = Math.min(containerHeight, innerHeight + 2 * MARGIN);
    const covered = this.#visibleTop >= this.#top && this.#visibleBottom <= this.#top + this.#height;
    const outOfView = this.#visibleBottom <= this.#visibleTop;
    if ((covered || outOfView) && height === this.#height) return remeasured;
    this.#height = height;
    this.#top = Math.max(0, Math.min(containerHeight - height, this.#visibleTop - MARGIN));
    this.#canvas.style.top = `${this.#top}px`;
    return true;
  }

  /** Where a tile lies on the canvas, or null while it is out of view. */
  rectangle(element: Element): Rectangle | null {
    const box = this.#boxes.get(element);
    if (box === undefined || box.width === 0) return null;
    if (box.top + box.height < this.#visibleTop || box.top > this.#visibleBottom) return null;
    const bottom = this.#top + this.#height - (box.top + box.height);
    return { x: box.left, y: bottom, width: box.width, height: box.height };
  }

  dispose(): void {
    this.#observer.disconnect();
    removeEventListener('resize', this.#invalidate);
  }

  readonly #invalidate = (): void => {
    this.#measured = false;
  };

  #measure(): void {
    this.#measured = true;
    const origin = this.#container.getBoundingClientRect();
    for (const element of this.#boxes.keys()) {
      const { left, top, width, height } = element.getBoundingClientRect();
      this.#boxes.set(element, { left: left - origin.left, top: top - origin.top, width, height });
    }
    this.#width = this.#container.clientWidth;
  }
}
