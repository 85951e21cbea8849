import type { UpdateOutcome } from '../learning/update-graph.ts';
import type { ContinualProgress } from './continual-events.ts';

/** Means of what happened since the previous report. */
export class ProgressInterval {
  readonly #total: number;
  readonly #elapsedMs: () => number;
  #sinceMs: number;
  #since: number;
  #sums = { loss: 0, penalty: 0, similarity: 0, gradientNorm: 0 };

  constructor({ total, elapsedMs, begin }: { total: number; elapsedMs: () => number; begin: number }) {
    this.#total = total;
    this.#elapsedMs = elapsedMs;
    this.#sinceMs = elapsedMs();
    this.#since = begin;
  }

  get seconds(): number {
    return (this.#elapsedMs() - this.#sinceMs) / 1000;
  }

  add({ loss, penalty, similarity, gradientNorm }: UpdateOutcome): void {
    this.#sums.loss += loss;
    this.#sums.penalty += penalty;
    this.#sums.similarity += similarity;
    this.#sums.gradientNorm += gradientNorm;
  }

  /** The row of this interval; the next one begins. */
  report(update: number, position: number): ContinualProgress {
    const count = Math.max(1, update - this.#since);
    const { loss, penalty, similarity, gradientNorm } = this.#sums;
    const updatesPerSecond = count / Math.max(this.seconds, 1e-3);
    const row: ContinualProgress = {
      ...{ type: 'progress', update, position, loss: loss / count, penalty: penalty / count },
      ...{ similarity: similarity / count, gradientNorm: gradientNorm / count, updatesPerSecond },
      elapsedSeconds: this.#elapsedMs() / 1000,
      secondsLeft: (this.#total - update) / updatesPerSecond,
    };
    this.#sums = { loss: 0, penalty: 0, similarity: 0, gradientNorm: 0 };
    this.#since = update;
    this.#sinceMs = this.#elapsedMs();
    return row;
  }
}
