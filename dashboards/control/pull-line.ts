import type { Place } from './grip.ts';

const SVG = 'http://www.w3.org/2000/svg';

/** The spring between a held body and the pointer, drawn over the picture until it is removed. */
export class PullLine {
  readonly #svg = document.createElementNS(SVG, 'svg');
  readonly #line = document.createElementNS(SVG, 'line');
  #frame = 0;

  /** @param ends where the body and the pointer are now; null while there is nothing to show */
  constructor(over: HTMLElement, ends: () => readonly [Place, Place] | null) {
    this.#svg.setAttribute('class', 'pull-line');
    this.#svg.setAttribute('viewBox', '-1 -1 2 2');
    this.#svg.setAttribute('preserveAspectRatio', 'none');
    this.#svg.append(this.#line);
    over.append(this.#svg);
    const draw = () => {
      this.#frame = requestAnimationFrame(draw);
      const [from, to] = ends() ?? [];
      this.#svg.style.visibility = from === undefined ? 'hidden' : '';
      const numbers = { x1: from?.x, y1: from && -from.y, x2: to?.x, y2: to && -to.y };
      for (const [name, value = 0] of Object.entries(numbers)) this.#line.setAttribute(name, value.toFixed(4));
    };
    draw();
  }

  remove(): void {
    cancelAnimationFrame(this.#frame);
    this.#svg.remove();
  }
}
