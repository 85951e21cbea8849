/** Frames that take longer than this for a while make the pictures coarser. */
const SLOW_FRAME_MS = 30;
const COARSEST = 0.75;

/** Coarser pictures on a slow machine: a smooth small picture says more than a sharp one that stutters. */
export class Coarseness {
  #pixelRatio: number;
  #frameMs = 0;
  #lastFrameAt = 0;

  constructor(pixelRatio: number) {
    this.#pixelRatio = pixelRatio;
  }

  /** Pixels of the canvas for one of the page, in each direction. */
  get pixelRatio(): number {
    return this.#pixelRatio;
  }

  /** Nothing was drawn: the time until the next picture says nothing. */
  rest(): void {
    this.#lastFrameAt = 0;
  }

  /** A picture was drawn. @param now milliseconds @returns whether the next is to be coarser */
  drawn(now: number): boolean {
    const elapsed = now - this.#lastFrameAt;
    const continuous = this.#lastFrameAt > 0;
    this.#lastFrameAt = now;
    if (!continuous || elapsed > 1000) return false;
    this.#frameMs += (elapsed - this.#frameMs) * 0.03;
    if (this.#frameMs < SLOW_FRAME_MS || this.#pixelRatio <= COARSEST) return false;
    this.#frameMs = 0;
    this.#pixelRatio = Math.max(COARSEST, this.#pixelRatio * 0.8);
    return true;
  }
}
