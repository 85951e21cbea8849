import { closeSync, existsSync, fstatSync, mkdirSync, openSync, renameSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';

/**
 * Appends lines to a file and moves it to `<file>.1` when it grows beyond the limit, so that a log takes at most twice
 * that. Each line is written before `write` returns: the last lines before a crash are the ones that matter.
 * A disk that takes no more lines must not end the server: they are counted and the count is logged when it does again.
 */
export class LogFile {
  readonly #path: string;
  readonly #maxBytes: number;
  #descriptor: number;
  #bytes: number;
  #lost = 0;

  /** @throws the system's error if the file cannot be opened at all */
  constructor(path: string, maxBytes: number) {
    this.#path = path;
    this.#maxBytes = maxBytes;
    if (!existsSync(dirname(path))) mkdirSync(dirname(path));
    this.#descriptor = openSync(path, 'a');
    this.#bytes = fstatSync(this.#descriptor).size;
  }

  write(line: string): void {
    try {
      if (this.#bytes > this.#maxBytes) this.#rotate();
      if (this.#lost > 0)
        this.#bytes += writeSync(this.#descriptor, `${JSON.stringify({ level: 40, lostLines: this.#lost })}\n`);
      this.#lost = 0;
      this.#bytes += writeSync(this.#descriptor, line);
    } catch {
      this.#lost++;
    }
  }

  close(): void {
    closeSync(this.#descriptor);
  }

  #rotate(): void {
    renameSync(this.#path, `${this.#path}.1`);
    const next = openSync(this.#path, 'a');
    closeSync(this.#descriptor);
    this.#descriptor = next;
    this.#bytes = 0;
  }
}
