/** Where progress is written: a terminal gets one line that is redrawn, a log gets a new line now and then. */
export interface ProgressSink {
  readonly isTTY?: boolean;
  readonly columns?: number;
  write(text: string): unknown;
}

/** A log gets a line this often; tests and impatient people may set `L2M_PROGRESS_MS`. */
const LOG_EVERY_MS = Number(process.env['L2M_PROGRESS_MS'] ?? 10_000);

/** One line that says how far long work is. Messages printed through `note` never tear it apart. */
export class ProgressLine {
  readonly #sink: ProgressSink;
  #shown = '';
  #loggedMs = Number.NEGATIVE_INFINITY;

  constructor(sink: ProgressSink = process.stderr) {
    this.#sink = sink;
  }

  update(text: string): void {
    if (this.#sink.isTTY === true) {
      const line = text.slice(0, (this.#sink.columns ?? 100) - 1);
      this.#sink.write(`\r${line.padEnd(this.#shown.length)}`);
      this.#shown = line;
      return;
    }
    const nowMs = performance.now();
    if (nowMs - this.#loggedMs < LOG_EVERY_MS) return;
    this.#loggedMs = nowMs;
    this.#sink.write(`${text}\n`);
  }

  note(text: string): void {
    this.#clear();
    this.#sink.write(`${text}\n`);
  }

  /** Leaves the last state standing. */
  end(): void {
    if (this.#sink.isTTY === true && this.#shown !== '') this.#sink.write('\n');
    this.#shown = '';
  }

  #clear(): void {
    if (this.#sink.isTTY !== true || this.#shown === '') return;
    this.#sink.write(`\r${' '.repeat(this.#shown.length)}\r`);
    this.#shown = '';
  }
}

/** `1 h 02 min`, `3 min 20 s`, `45 s` */
export function durationText(seconds: number): string {
  const whole = Math.max(0, Math.round(seconds));
  if (whole >= 3600)
    return `${Math.floor(whole / 3600)} h ${String(Math.floor((whole % 3600) / 60)).padStart(2, '0')} min`;
  if (whole >= 60) return `${Math.floor(whole / 60)} min ${String(whole % 60).padStart(2, '0')} s`;
  return `${whole} s`;
}
