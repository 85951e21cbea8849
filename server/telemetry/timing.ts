export interface WindowOptions {
  /** How far back values count. */
  readonly windowMs: number;
  /** The newest this many are kept. */
  readonly capacity: number;
  /** Milliseconds that never run backwards. */
  readonly now: () => number;
}

const DEFAULT_WINDOW: WindowOptions = { windowMs: 5_000, capacity: 1_024, now: () => performance.now() };

/** The last seconds of a measured value: medians for people, where histograms would show only powers of two. */
export class TimingWindow {
  readonly #options: WindowOptions;
  readonly #values: Float64Array;
  readonly #times: Float64Array;
  #written = 0;

  constructor(options: Partial<WindowOptions> = {}) {
    this.#options = { ...DEFAULT_WINDOW, ...options };
    this.#values = new Float64Array(this.#options.capacity);
    this.#times = new Float64Array(this.#options.capacity);
  }

  add(value: number): void {
    const place = this.#written % this.#options.capacity;
    this.#values[place] = value;
    this.#times[place] = this.#options.now();
    this.#written++;
  }

  /** @returns 0 when nothing was measured in the window */
  median(): number {
    return this.quantiles([0.5])[0] ?? 0;
  }

  /** Nearest-rank quantiles of the window; zeros when it is empty. */
  quantiles(wanted: readonly number[]): number[] {
    const oldest = this.#options.now() - this.#options.windowMs;
    const kept = Math.min(this.#written, this.#options.capacity);
    const recent = this.#values.subarray(0, kept).filter((_, place) => (this.#times[place] ?? 0) >= oldest);
    recent.sort();
    return wanted.map((share) => recent[Math.max(0, Math.ceil(share * recent.length) - 1)] ?? 0);
  }
}

/** Events per second over the last seconds, counted in slices so that memory does not grow with the rate. */
export class RateWindow {
  readonly #sliceMs: number;
  readonly #windowMs: number;
  readonly #now: () => number;
  readonly #begun: number;
  /** Slice number and count, oldest first. */
  readonly #slices: { slice: number; count: number }[] = [];

  constructor(options: Partial<WindowOptions> = {}) {
    const { windowMs, now } = { ...DEFAULT_WINDOW, ...options };
    this.#windowMs = windowMs;
    this.#sliceMs = windowMs / 50;
    this.#now = now;
    this.#begun = now();
  }

  add(count: number): void {
    const slice = Math.floor(this.#now() / this.#sliceMs);
    const last = this.#slices.at(-1);
    if (last?.slice === slice) last.count += count;
    else this.#slices.push({ slice, count });
    this.#trim();
  }

  /** Over the window, or over the time since the beginning while that is shorter. */
  perSecond(): number {
    this.#trim();
    const spanMs = Math.min(this.#windowMs, this.#now() - this.#begun);
    if (spanMs <= 0) return 0;
    return (this.#slices.reduce((sum, { count }) => sum + count, 0) / spanMs) * 1000;
  }

  #trim(): void {
    const oldest = (this.#now() - this.#windowMs) / this.#sliceMs;
    while ((this.#slices[0]?.slice ?? Infinity) < oldest) this.#slices.shift();
  }
}
